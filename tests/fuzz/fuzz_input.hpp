#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace livetls::fuzz {

using Bytes = std::span<const std::uint8_t>;

/// Takes what a target needs off the front of its input. What is not there reads as zero, so that
/// every input means something.
class FuzzInput {
 public:
  FuzzInput(Bytes input) : rest_(input) {}

  /// Big-endian.
  std::uint32_t number(std::size_t width) {
    std::uint32_t value = 0;
    for (const std::uint8_t byte : take(width)) value = value << 8 | byte;
    return value;
  }

  /// As many bytes as there are, at most `count`.
  Bytes take(std::size_t count) {
    const Bytes front = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(front.size());
    return front;
  }

  /// Where a stream is cut: a number of up to seven, and as many positions of two bytes.
  std::vector<std::size_t> cuts() {
    std::vector<std::size_t> positions(number(1) % 8);
    for (std::size_t& position : positions) position = number(2);
    std::ranges::sort(positions);
    return positions;
  }

  bool empty() const { return rest_.empty(); }
  Bytes rest() const { return rest_; }

 private:
  Bytes rest_;
};

/// A copy of its own size, so that a sanitizer sees every access beyond it.
inline std::vector<std::uint8_t> copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace livetls::fuzz
