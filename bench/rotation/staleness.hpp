#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>

namespace livetls::bench {

/// Whether connections were served what an update had replaced. Generations follow each other by
/// one. Safe from any thread; remembers the last kRemembered updates.
class Staleness {
 public:
  using Clock = std::chrono::steady_clock;

  void update_returned(std::uint64_t generation) {
    returned(generation + 1).store(0, std::memory_order_relaxed);  // of long ago
    returned(generation).store(now_ns(Clock::now()), std::memory_order_release);
  }

  /// `hello_received_at` is when its ClientHello had been read.
  void served(std::uint64_t generation, Clock::time_point hello_received_at) {
    const std::int64_t hello = now_ns(hello_received_at);
    if (const auto own = returned(generation).load(std::memory_order_acquire); own != 0) {
      lower(first_new_ns_, std::max<std::int64_t>(0, hello - own));
    }
    const auto next = returned(generation + 1).load(std::memory_order_acquire);
    if (next == 0 || hello <= next) return;
    stale_.fetch_add(1, std::memory_order_relaxed);
  }

  std::uint64_t stale() const { return stale_; }

  /// The shortest time from an update's return to a ClientHello that was served with it; -1: none.
  std::int64_t first_new_ns() const { return first_new_ns_ == kNone ? -1 : first_new_ns_.load(); }

 private:
  static constexpr std::size_t kRemembered = 1 << 17;
  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();

  static std::int64_t now_ns(Clock::time_point time) {
    return std::chrono::nanoseconds(time.time_since_epoch()).count();
  }

  static void lower(std::atomic<std::int64_t>& value, std::int64_t candidate) {
    std::int64_t current = value.load(std::memory_order_relaxed);
    while (candidate < current && !value.compare_exchange_weak(current, candidate)) {
    }
  }

  std::atomic<std::int64_t>& returned(std::uint64_t generation) {
    return returned_[generation % kRemembered];
  }

  std::array<std::atomic<std::int64_t>, kRemembered> returned_{};
  std::atomic<std::uint64_t> stale_ = 0;
  std::atomic<std::int64_t> first_new_ns_ = kNone;
};

}  // namespace livetls::bench
