#include "livetls/async/deadline.hpp"

#include <gtest/gtest.h>

namespace livetls {
namespace {

using namespace std::chrono_literals;

class DeadlineTest : public testing::Test {
 protected:
  boost::asio::io_context io_;
  int calls_ = 0;
  Deadline deadline_{io_.get_executor(), [this] { ++calls_; }};
};

TEST_F(DeadlineTest, CallsOnceWhenItPasses) {
  deadline_.expires_after(1ms);
  io_.run();
  EXPECT_EQ(calls_, 1);
  EXPECT_TRUE(deadline_.expired());
}

TEST_F(DeadlineTest, CallsNobodyOnceItIsCleared) {
  deadline_.expires_after(1ms);
  deadline_.clear();
  io_.run();
  EXPECT_EQ(calls_, 0);
  EXPECT_FALSE(deadline_.expired());
}

TEST_F(DeadlineTest, CanBeMovedNearer) {
  deadline_.expires_after(1h);
  deadline_.expires_after(1ms);
  while (calls_ == 0) io_.run_one();
  EXPECT_TRUE(deadline_.expired());
}

TEST_F(DeadlineTest, ThatIsEndlessNeverPasses) {
  using Duration = std::chrono::steady_clock::duration;
  for (const Duration endless : {Duration::max(), Duration::max() - 1ns, 0ns, -1ns}) {
    deadline_.expires_after(1ms);
    deadline_.expires_after(endless);
    io_.restart();
    io_.run_for(5ms);
    EXPECT_EQ(calls_, 0) << endless.count();
  }
}

}  // namespace
}  // namespace livetls
