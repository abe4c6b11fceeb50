// How operations of TlsStream complete when they are cancelled.

#include "unit/tls/tls_stream_test.hpp"

namespace livetls {
namespace {

using namespace test;

// ---- Cancellation ------------------------------------------------------------------------------

TEST_F(TlsStreamTest, AReadThatWasCancelledAnywhereLosesNothing) {
  const std::string message = "all of this arrives";
  bool was_cancelled = true;
  for (std::size_t steps = 0; was_cancelled; ++steps) {
    SCOPED_TRACE("after " + std::to_string(steps) + " steps");
    Ends ends = connected({.chunk = 3});
    std::array<char, 64> buffer;
    asio::cancellation_signal signal;
    std::optional<SizedAnswer> first, second, written;
    ends.server.async_read_some(asio::buffer(buffer),
                                asio::bind_cancellation_slot(signal.slot(), into(first)));
    asio::async_write(ends.client, asio::buffer(message), into(written));
    io.restart();
    for (std::size_t i = 0; i < steps; ++i) io.poll_one();
    signal.emit(asio::cancellation_type::total);
    poll();
    ASSERT_TRUE(first) << "the cancelled read never completed";
    was_cancelled = first->error == asio::error::operation_aborted;
    if (!was_cancelled) {
      EXPECT_FALSE(first->error);
      EXPECT_EQ(first->bytes, message.size());
      break;
    }
    EXPECT_EQ(first->bytes, 0U);
    ends.server.async_read_some(asio::buffer(buffer), into(second));
    run();
    ASSERT_TRUE(second && !second->error) << second->error.message();
    EXPECT_EQ(std::string(buffer.data(), second->bytes), message);
    ASSERT_LT(steps, 1000U);
  }
  EXPECT_FALSE(was_cancelled);
}

TEST_F(TlsStreamTest, AReadThatWaitsBehindAShutdownCanBeCancelled) {
  Ends ends = connected();
  Answer shutdown;
  ends.server.async_shutdown(into(shutdown));
  poll();
  char byte;
  asio::cancellation_signal signal;
  std::optional<SizedAnswer> read;
  ends.server.async_read_some(asio::buffer(&byte, 1),
                              asio::bind_cancellation_slot(signal.slot(), into(read)));
  poll();
  EXPECT_FALSE(read);
  signal.emit(asio::cancellation_type::total);
  poll();
  ASSERT_TRUE(read);
  EXPECT_EQ(read->error, asio::error::operation_aborted);
  EXPECT_FALSE(shutdown);
  ends.client.next_layer().close();
  run();
  EXPECT_EQ(shutdown, error_code()) << "nothing is lost by a peer that just goes";
}

TEST_F(TlsStreamTest, AHandshakeCanBeCancelledForGood) {
  Ends ends = connect();
  asio::cancellation_signal signal;
  Answer server;
  ends.server.async_handshake(asio::bind_cancellation_slot(signal.slot(), into(server)));
  poll();
  EXPECT_FALSE(server);
  signal.emit(asio::cancellation_type::terminal);
  run();
  EXPECT_EQ(server, error_code(asio::error::operation_aborted));
}

}  // namespace
}  // namespace livetls
