#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace livetls::demo {

/// What the clients saw in a short part of the run.
struct Slice {
  double seconds = 0;
  std::uint64_t handshakes = 0;
  std::uint64_t p99_us = 0;
  std::uint64_t rotations = 0;  ///< in the same time

  double per_second(std::uint64_t count) const { return static_cast<double>(count) / seconds; }
};

/// The comparison with a run without rotation: slices without and with it take turns, and each pair
/// is one round, so that what else the machine does meanwhile meets both.
class Control {
 public:
  static constexpr std::chrono::milliseconds kSlice{500};

  struct Round {
    Slice still;
    Slice rotating;
  };

  /// Whether the next slice is to rotate. The first does, and is not counted: it warms up.
  bool rotates_next() const { return added_ % 2 == 0; }

  /// Answers the round that this completes, if it does.
  std::optional<Round> add(const Slice& slice);

  /// Medians over the rounds. Of the ratios, rotating to not rotating, also "low" and "high": half
  /// of the rounds are between. Throws std::runtime_error where no round is complete.
  boost::json::object to_json() const;

 private:
  std::size_t added_ = 0;
  Slice still_;  // of the round that has begun
  std::vector<Round> rounds_;
};

}  // namespace livetls::demo
