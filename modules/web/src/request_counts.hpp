#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace livetls::web {

/// What is counted at a server, beside its connections.
enum class Event {
  request,
  malformed,
  header_too_large,
  header_timed_out,
  body_too_large,
  body_timed_out,
  misdirected,
  failed,
  write_timed_out,
  client_gone,
};

/// Thread-safe, and cheap: threads seldom share a slot.
class RequestCounts {
 public:
  void add(Event event) noexcept {
    auto& count = slots_[this_threads_slot()][static_cast<std::size_t>(event)];
    count.fetch_add(1, std::memory_order_relaxed);
  }

  std::uint64_t total(Event event) const noexcept {
    std::uint64_t sum = 0;
    for (const Slot& slot : slots_) {
      sum += slot[static_cast<std::size_t>(event)].load(std::memory_order_relaxed);
    }
    return sum;
  }

 private:
  static constexpr std::size_t kSlots = 16;
  static constexpr std::size_t kEvents = static_cast<std::size_t>(Event::client_gone) + 1;

  struct alignas(64) Slot : std::array<std::atomic<std::uint64_t>, kEvents> {};

  static std::size_t this_threads_slot() noexcept {
    static std::atomic<std::size_t> next = 0;
    thread_local const std::size_t slot = next.fetch_add(1, std::memory_order_relaxed) % kSlots;
    return slot;
  }

  std::array<Slot, kSlots> slots_{};
};

}  // namespace livetls::web
