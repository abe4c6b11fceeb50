// When operations of TlsStream begin, and when they call their handlers.

#include "unit/tls/tls_stream_test.hpp"

namespace livetls {
namespace {

using namespace test;

TEST_F(TlsStreamTest, ADeferredOperationBeginsWhenItIsCalled) {
  Ends ends = connect();
  auto client_handshake = ends.client.async_handshake(asio::deferred);
  auto server_handshake = ends.server.async_handshake(asio::deferred);
  run();
  EXPECT_EQ(ends.client.next_layer().writes(), 0U);
  Answer client, server;
  std::move(client_handshake)(into(client));
  std::move(server_handshake)(into(server));
  run();
  EXPECT_EQ(client, error_code());
  EXPECT_EQ(server, error_code());

  std::array<char, 16> buffer;
  auto deferred_read = ends.server.async_read_some(asio::buffer(buffer), asio::deferred);
  write(ends.client, "later");
  std::optional<SizedAnswer> read;
  std::move(deferred_read)(into(read));
  run();
  ASSERT_TRUE(read);
  EXPECT_EQ(read->bytes, 5U);
}

TEST_F(TlsStreamTest, AHandlerIsNeverCalledFromTheFunctionThatStartsItsOperation) {
  std::array<char, 64> buffer;
  const auto never_at_once = [&](auto start) {
    bool starting = true;
    bool completed = false;
    start([&](error_code, std::size_t = 0) {
      EXPECT_FALSE(starting);
      completed = true;
    });
    starting = false;
    run();
    EXPECT_TRUE(completed);
  };

  Ends ends = connected();
  write(ends.client, "here already");
  never_at_once([&](auto handler) { ends.server.async_handshake(handler); });  // done already
  never_at_once([&](auto h) { ends.server.async_read_some(asio::buffer(buffer, 4), h); });
  never_at_once([&](auto h) { ends.server.async_read_some(asio::buffer(buffer), h); });
  never_at_once([&](auto h) { ends.server.async_read_some(asio::buffer(buffer, 0), h); });
  never_at_once([&](auto h) { ends.server.async_write_some(asio::buffer("", 0), h); });
  never_at_once([&](auto h) { ends.server.async_write_some(asio::buffer("x", 1), h); });

  Ends broken = connect();
  never_at_once([&](auto h) { broken.server.async_read_some(asio::buffer(buffer), h); });
  never_at_once([&](auto h) { broken.server.async_write_some(asio::buffer("x", 1), h); });
  never_at_once([&](auto h) { broken.server.async_handshake(h); });
  never_at_once([&](auto h) { broken.server.async_shutdown(h); });
}

TEST_F(TlsStreamTest, EmptyBuffersCompleteWithoutWaitingForThePeer) {
  Ends ends = connected();
  const std::size_t writes = ends.server.next_layer().writes();
  std::optional<SizedAnswer> read, written;
  ends.server.async_read_some(asio::mutable_buffer(), into(read));
  ends.server.async_write_some(std::array<asio::const_buffer, 2>(), into(written));
  run();
  ASSERT_TRUE(read && written);
  EXPECT_FALSE(read->error);
  EXPECT_FALSE(written->error);
  EXPECT_EQ(read->bytes + written->bytes, 0U);
  EXPECT_EQ(ends.server.next_layer().writes(), writes);
}

}  // namespace
}  // namespace livetls
