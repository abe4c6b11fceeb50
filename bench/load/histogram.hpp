#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

namespace livetls::bench {

/// Durations in buckets whose width grows with their value, so that every percentile is right to
/// 1.6 %, from a nanosecond to hours. Not safe for use by two threads at once.
class Histogram {
 public:
  using Duration = std::chrono::nanoseconds;

  Histogram();

  void record(Duration duration);
  void add(const Histogram& other);
  void clear();

  std::uint64_t count() const noexcept { return count_; }
  Duration max() const noexcept { return max_; }

  /// The smallest value that `percent` of the values do not exceed, to the width of its bucket;
  /// zero where there are none. 100 is the maximum, exactly.
  Duration percentile(double percent) const;

 private:
  std::vector<std::uint32_t> buckets_;
  std::uint64_t count_ = 0;
  Duration max_{};
};

}  // namespace livetls::bench
