// Values below 2 * kHalf have a bucket each. Above, every power of two is divided into kHalf
// buckets: the highest bits of a value after its first are the bucket, the lower ones are
// forgotten.

#include "histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace livetls::bench {
namespace {

constexpr unsigned kHalfBits = 6;
constexpr std::uint64_t kHalf = 1 << kHalfBits;
constexpr unsigned kMaxBits = 44;  // almost five hours
constexpr std::uint64_t kMax = (std::uint64_t{1} << kMaxBits) - 1;

std::size_t bucket_of(std::uint64_t value) {
  if (value < 2 * kHalf) return value;
  const auto shift = static_cast<unsigned>(std::bit_width(value)) - kHalfBits - 1;
  return shift * kHalf + (value >> shift);
}

std::uint64_t highest_in(std::size_t bucket) {
  if (bucket < 2 * kHalf) return bucket;
  const std::uint64_t shift = bucket / kHalf - 1;
  return ((bucket - shift * kHalf + 1) << shift) - 1;
}

}  // namespace

Histogram::Histogram() : buckets_(bucket_of(kMax) + 1) {}

void Histogram::record(Duration duration) {
  const auto value = static_cast<std::uint64_t>(std::max<Duration::rep>(0, duration.count()));
  ++buckets_[bucket_of(std::min(value, kMax))];
  ++count_;
  max_ = std::max(max_, duration);
}

void Histogram::add(const Histogram& other) {
  std::ranges::transform(buckets_, other.buckets_, buckets_.begin(), std::plus());
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

void Histogram::clear() {
  std::ranges::fill(buckets_, 0);
  count_ = 0;
  max_ = {};
}

Histogram::Duration Histogram::percentile(double percent) const {
  if (percent >= 100 || count_ == 0) return max_;
  const auto wanted = static_cast<std::uint64_t>(
      std::max(1.0, std::ceil(percent / 100 * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen >= wanted) {
      return std::min(max_, Duration(static_cast<Duration::rep>(highest_in(bucket))));
    }
  }
  return max_;
}

}  // namespace livetls::bench
