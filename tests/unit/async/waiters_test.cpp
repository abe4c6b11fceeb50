#include "livetls/async/waiters.hpp"

#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "livetls/async/task.hpp"

namespace livetls {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

class WaitersTest : public testing::Test {
 protected:
  Task<void> wait(std::chrono::steady_clock::duration within) {
    const auto [error] =
        co_await waiters_->async_wait([this] { return holds_; }, within, asio::as_tuple(use_task));
    outcome_ = error;
    ended_ = true;
  }

  asio::io_context context_;
  const std::shared_ptr<Waiters> waiters_ = std::make_shared<Waiters>();
  bool holds_ = false;
  bool ended_ = false;
  boost::system::error_code outcome_;
};

TEST_F(WaitersTest, CompleteWhenTheConditionHoldsAndNeverFromWithin) {
  asio::co_spawn(context_, wait(Waiters::kForever), asio::detached);
  asio::post(context_, [this] {
    waiters_->check();
    EXPECT_FALSE(ended_) << "the condition does not hold";
    holds_ = true;
    waiters_->check();
    EXPECT_FALSE(ended_) << "who waits is resumed later";
  });
  context_.run();
  EXPECT_TRUE(ended_);
  EXPECT_FALSE(outcome_);
}

TEST_F(WaitersTest, GiveUpInTheEnd) {
  asio::co_spawn(context_, wait(1ms), asio::detached);
  context_.run();
  EXPECT_EQ(outcome_, asio::error::timed_out);
}

TEST_F(WaitersTest, LeaveNoTimerBehind) {
  asio::co_spawn(context_, wait(1h), asio::detached);
  asio::post(context_, [this] {
    holds_ = true;
    waiters_->check();
  });
  context_.run_for(30s);
  EXPECT_TRUE(ended_);
  EXPECT_TRUE(context_.stopped()) << "nothing is left to be waited for";
}

}  // namespace
}  // namespace livetls
