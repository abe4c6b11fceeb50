// How operations of TlsStream complete: by tokens of every kind.

#include "unit/tls/tls_stream_test.hpp"

namespace livetls {
namespace {

using namespace test;

// ---- Completion tokens and handlers ------------------------------------------------------------

TEST_F(TlsStreamTest, WorksWithFutures) {
  Ends ends = connect();
  std::future<void> client = ends.client.async_handshake(asio::use_future);
  std::future<void> server = ends.server.async_handshake(asio::use_future);
  run();
  EXPECT_NO_THROW(client.get());
  EXPECT_NO_THROW(server.get());

  std::future<std::size_t> written =
      ends.client.async_write_some(asio::buffer("ping", 4), asio::use_future);
  std::array<char, 16> buffer;
  std::future<std::size_t> read =
      ends.server.async_read_some(asio::buffer(buffer), asio::use_future);
  run();
  EXPECT_EQ(written.get(), 4U);
  EXPECT_EQ(read.get(), 4U);
}

asio::awaitable<std::string> ask_on_any_executor(Stream& stream) {
  co_await stream.async_handshake(asio::use_awaitable);
  co_await asio::async_write(stream, asio::buffer("ping", 4), asio::use_awaitable);
  std::string answer(4, '\0');
  co_await asio::async_read(stream, asio::buffer(answer), asio::use_awaitable);
  co_return answer;
}

TEST_F(TlsStreamTest, WorksWithAwaitablesOfAnyExecutor) {
  Ends ends = connect();
  Answer server;
  play(echo_until_end(ends.server), ends.server, server);
  std::future<std::string> answer = asio::co_spawn(
      asio::any_io_executor(io.get_executor()), ask_on_any_executor(ends.client), asio::use_future);
  poll();
  ASSERT_EQ(answer.wait_for(std::chrono::seconds(0)), std::future_status::ready);
  EXPECT_EQ(answer.get(), "ping");
  ends.client.next_layer().close();
  run();
}

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
