// What a Receipt says of the generations before it, over real handshakes in memory.

#include "livetls/rotation/receipt.hpp"

#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include "livetls/pki/self_signed.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "support/engine_pair.hpp"

namespace livetls {
namespace {

using namespace std::chrono_literals;
using test::EnginePair;

class ReceiptTest : public ::testing::Test {
 protected:
  EnginePair connect() {
    const auto context = ClientContext::create({.insecure_skip_verify = true}).value();
    return EnginePair(
        TlsEngine(context, ServerName::parse("localhost").value()),
        TlsEngine(std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager})), 1024);
  }

  /// Moves the handshake on until the server has chosen what to serve.
  void begin(EnginePair& engines) {
    engines.client.handshake();
    engines.move_bytes();
    engines.server.handshake();
    ASSERT_NE(engines.server.served(), nullptr);
  }

  Receipt update() { return manager->update(self_signed().value()).value(); }

  std::vector<Generations::Use> uses() { return manager->generations_in_use(); }

  /// Runs what is ready; whether the wait has completed.
  template <class Wait>
  bool reached(Wait wait) {
    boost::asio::io_context io;
    boost::asio::cancellation_signal cancel;
    bool done = false;
    auto handler = [&](boost::system::error_code error) { done = !error; };
    wait(boost::asio::bind_cancellation_slot(cancel.slot(),
                                             boost::asio::bind_executor(io, handler)));
    io.poll();
    const bool was_done = done;
    cancel.emit(boost::asio::cancellation_type::terminal);
    io.restart();
    io.poll();
    return was_done;
  }

  std::shared_ptr<CertManager> manager =
      CertManager::create(CertSet{.default_identity = self_signed().value()},
                          CertManager::Options{.history_limit = 0})
          .value();
};

#define REACHED(receipt, milestone) \
  reached([&](auto token) { (receipt).milestone(Receipt::kForever, std::move(token)); })

TEST_F(ReceiptTest, WithoutConnectionsEverythingIsReachedAtOnce) {
  const Receipt receipt = update();
  EXPECT_TRUE(REACHED(receipt, async_visible));
  EXPECT_TRUE(REACHED(receipt, async_quiesced));
  EXPECT_TRUE(REACHED(receipt, async_drained));
  EXPECT_TRUE(REACHED(receipt, async_erased));
}

TEST_F(ReceiptTest, AHandshakeInFlightHoldsUpQuiescedAndAConnectionDrainedAndErased) {
  auto engines = std::make_unique<EnginePair>(connect());
  begin(*engines);
  const Receipt receipt = update();
  EXPECT_TRUE(REACHED(receipt, async_visible));
  EXPECT_FALSE(REACHED(receipt, async_quiesced));

  ASSERT_TRUE(engines->handshake().done());
  EXPECT_TRUE(REACHED(receipt, async_quiesced));
  EXPECT_FALSE(REACHED(receipt, async_drained));
  EXPECT_FALSE(REACHED(receipt, async_erased));

  engines.reset();
  EXPECT_TRUE(REACHED(receipt, async_drained));
  EXPECT_TRUE(REACHED(receipt, async_erased));
}

TEST_F(ReceiptTest, AHandshakeThatFailsIsNotInFlightAnyMore) {
  EnginePair engines = connect();
  begin(engines);
  const Receipt receipt = update();
  EXPECT_FALSE(REACHED(receipt, async_quiesced));
  engines = connect();
  EXPECT_TRUE(REACHED(receipt, async_drained));
}

TEST_F(ReceiptTest, ConnectionsOfTheSameOrALaterGenerationDoNotMatter) {
  const Receipt receipt = update();
  EnginePair engines = connect();
  ASSERT_TRUE(engines.handshake().done());
  EXPECT_TRUE(REACHED(receipt, async_erased));
  const Receipt next = update();
  EXPECT_TRUE(REACHED(receipt, async_erased));
  EXPECT_FALSE(REACHED(next, async_drained));
}

TEST_F(ReceiptTest, ASnapshotThatSomebodyKeepsHoldsUpErasedOnly) {
  auto kept = manager->snapshot();
  const Receipt receipt = update();
  EXPECT_TRUE(REACHED(receipt, async_drained));
  EXPECT_FALSE(REACHED(receipt, async_erased));
  kept.reset();
  EXPECT_TRUE(REACHED(receipt, async_erased));
}

TEST_F(ReceiptTest, CountsTellWhoUsesWhich) {
  EnginePair old_connection = connect();
  ASSERT_TRUE(old_connection.handshake().done());
  update();
  EnginePair in_flight = connect();
  begin(in_flight);
  const auto now = uses();
  ASSERT_EQ(now.size(), 2U);
  EXPECT_EQ(now[0].generation, 1U);
  EXPECT_EQ(now[0].connections, 1U);
  EXPECT_EQ(now[0].handshakes, 0U);
  EXPECT_EQ(now[1].generation, 2U);
  EXPECT_EQ(now[1].connections, 0U);
  EXPECT_EQ(now[1].handshakes, 1U);
}

boost::asio::awaitable<boost::system::error_code> wait_drained(
    Receipt receipt, std::chrono::steady_clock::duration within) {
  const auto [error] =
      co_await receipt.async_drained(within, boost::asio::as_tuple(boost::asio::use_awaitable));
  co_return error;
}

TEST_F(ReceiptTest, ACoroutineWaitsUntilTheLastConnectionHasEnded) {
  boost::asio::io_context io;
  auto engines = std::make_unique<EnginePair>(connect());
  ASSERT_TRUE(engines->handshake().done());
  auto result =
      boost::asio::co_spawn(io, wait_drained(update(), Receipt::kForever), boost::asio::use_future);
  io.poll();
  EXPECT_EQ(result.wait_for(0s), std::future_status::timeout);
  engines.reset();
  io.run();
  EXPECT_EQ(result.get(), boost::system::error_code());
}

TEST_F(ReceiptTest, TheLimitEndsTheWait) {
  // Outlives the timer's thread, which may still be leaving the io_context when `run` returns.
  static boost::asio::io_context io;
  EnginePair engines = connect();
  ASSERT_TRUE(engines.handshake().done());
  auto result = boost::asio::co_spawn(io, wait_drained(update(), 1ms), boost::asio::use_future);
  io.run();
  EXPECT_EQ(result.get(), boost::asio::error::timed_out);
}

TEST_F(ReceiptTest, CancellationEndsTheWait) {
  boost::asio::io_context io;
  boost::asio::cancellation_signal cancel;
  EnginePair engines = connect();
  ASSERT_TRUE(engines.handshake().done());
  const Receipt receipt = update();
  boost::system::error_code result;
  auto handler = [&](boost::system::error_code error) { result = error; };
  receipt.async_drained(
      Receipt::kForever,
      boost::asio::bind_cancellation_slot(cancel.slot(), boost::asio::bind_executor(io, handler)));
  cancel.emit(boost::asio::cancellation_type::terminal);
  io.run();
  EXPECT_EQ(result, boost::asio::error::operation_aborted);
}

}  // namespace
}  // namespace livetls
