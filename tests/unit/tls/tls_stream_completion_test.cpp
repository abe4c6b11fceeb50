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

}  // namespace
}  // namespace livetls
