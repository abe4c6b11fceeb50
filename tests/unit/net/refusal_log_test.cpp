#include "net/refusal_log.hpp"

#include <gtest/gtest.h>

namespace livetls {
namespace {

TEST(LineBudget, AllowsTenLinesASecondAndCountsTheOthers) {
  LineBudget budget;
  const std::chrono::steady_clock::time_point start(std::chrono::hours(1));
  for (int i = 0; i < LineBudget::kLinesPerSecond; ++i) EXPECT_EQ(budget.take(start), 0);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(budget.take(start + std::chrono::milliseconds(999)), std::nullopt);
  EXPECT_EQ(budget.take(start + std::chrono::seconds(1)), 3);
  EXPECT_EQ(budget.take(start + std::chrono::seconds(1)), 0);
}

}  // namespace
}  // namespace livetls
