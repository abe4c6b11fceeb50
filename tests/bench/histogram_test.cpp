#include "load/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace livetls::bench {
namespace {

using std::chrono::nanoseconds;

TEST(HistogramTest, PercentilesAreWithinTwoPercentOfTheSortedValues) {
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> latency(12, 2);  // some tens of nanoseconds to seconds
  Histogram histogram;
  std::vector<std::int64_t> values;
  for (int i = 0; i < 100'000; ++i) {
    values.push_back(static_cast<std::int64_t>(latency(random)));
    histogram.record(nanoseconds(values.back()));
  }
  std::ranges::sort(values);
  for (const double percent : {0.1, 1.0, 25.0, 50.0, 90.0, 99.0, 99.9, 99.99}) {
    const auto index = static_cast<std::size_t>(std::ceil(percent / 100 * 100'000)) - 1;
    const auto exact = static_cast<double>(values[index]);
    const auto found = static_cast<double>(histogram.percentile(percent).count());
    EXPECT_GE(found, exact) << percent;
    EXPECT_LE(found, exact * 1.02) << percent;
  }
  EXPECT_EQ(histogram.percentile(100), nanoseconds(values.back()));
  EXPECT_EQ(histogram.count(), 100'000U);
}

TEST(HistogramTest, SmallValuesAreExact) {
  Histogram histogram;
  for (int value = 1; value <= 100; ++value) histogram.record(nanoseconds(value));
  EXPECT_EQ(histogram.percentile(50), nanoseconds(50));
  EXPECT_EQ(histogram.percentile(99), nanoseconds(99));
}

TEST(HistogramTest, OneAddedToAnotherIsAsIfRecordedThere) {
  Histogram all, first, second;
  for (int i = 0; i < 1000; ++i) {
    const nanoseconds value(i * i * 1000);
    all.record(value);
    (i % 3 == 0 ? first : second).record(value);
  }
  first.add(second);
  EXPECT_EQ(first.count(), all.count());
  EXPECT_EQ(first.max(), all.max());
  for (const double percent : {10.0, 50.0, 99.0}) {
    EXPECT_EQ(first.percentile(percent), all.percentile(percent));
  }
  first.clear();
  EXPECT_EQ(first.count(), 0U);
  EXPECT_EQ(first.percentile(99), nanoseconds(0));
}

TEST(HistogramTest, TakesWhatIsNegativeOrTooLong) {
  Histogram histogram;
  histogram.record(nanoseconds(-5));
  histogram.record(std::chrono::hours(100));
  EXPECT_EQ(histogram.percentile(1), nanoseconds(0));
  EXPECT_EQ(histogram.percentile(100), std::chrono::hours(100));
}

}  // namespace
}  // namespace livetls::bench
