#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstdint>

namespace livetls::demo {

/// A histogram of durations in microseconds whose buckets are 1.6 % wide, so that it stays small
/// and adding to it stays cheap however long the run.
class Latencies {
 public:
  void add(std::chrono::steady_clock::duration duration) {
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(us, 0));
    ++buckets_[bucket_of(value)];
    ++count_;
    max_ = std::max(max_, value);
  }

  /// The smallest duration that `share` of all are at or below; 0 where there are none.
  std::uint64_t quantile_us(double share) const {
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(count_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (seen > 0 && seen >= wanted) return std::min(upper_bound(i), max_);
    }
    return max_;
  }

  std::uint64_t max_us() const { return max_; }
  void clear() { *this = {}; }

 private:
  static constexpr unsigned kSubBits = 6;  // 64 buckets for each power of two
  static constexpr std::uint64_t kSub = 1U << kSubBits;

  static std::size_t bucket_of(std::uint64_t value) {
    if (value < kSub) return value;
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - kSubBits - 1;
    return std::min<std::size_t>((shift + 1) * kSub + ((value >> shift) - kSub), kBuckets - 1);
  }

  static std::uint64_t upper_bound(std::size_t bucket) {
    if (bucket < kSub) return bucket;
    const std::size_t shift = bucket / kSub - 1;
    return ((bucket % kSub + kSub + 1) << shift) - 1;
  }

  static constexpr std::size_t kBuckets = 40 * kSub;
  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace livetls::demo
