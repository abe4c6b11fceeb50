#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

namespace livetls {

/// Counts the connections that were served what was published at one time, those in their handshake
/// apart. Thread-safe.
class GenerationCounts {
 public:
  /// `on_idle` is called, from any thread, when one of the counts falls to zero after `retire`.
  explicit GenerationCounts(std::function<void()> on_idle) : on_idle_(std::move(on_idle)) {}

  std::int64_t handshakes() const noexcept { return handshakes_.load(); }
  std::int64_t connections() const noexcept { return connections_.load(); }

  /// Since the beginning. One that its client broke off has failed, too.
  std::uint64_t completed() const noexcept { return completed_.load(std::memory_order_relaxed); }
  std::uint64_t failed() const noexcept { return failed_.load(std::memory_order_relaxed); }

  /// Another generation has been published.
  void retire() noexcept { retired_.store(true); }

 private:
  friend class GenerationSeat;

  void drop(std::atomic<std::int64_t>& count) {
    if (count.fetch_sub(1) == 1 && retired_.load() && on_idle_) on_idle_();
  }

  std::atomic<std::int64_t> handshakes_ = 0;
  std::atomic<std::int64_t> connections_ = 0;  // whose handshake is done
  std::atomic<std::uint64_t> completed_ = 0;
  std::atomic<std::uint64_t> failed_ = 0;
  std::atomic<bool> retired_ = false;
  std::function<void()> on_idle_;
};

/// One connection's place in the counts, from the choice of what it is served to its end.
class GenerationSeat {
 public:
  GenerationSeat() = default;
  explicit GenerationSeat(GenerationCounts& counts) : counts_(&counts) {
    counts.handshakes_.fetch_add(1);
  }
  GenerationSeat(GenerationSeat&& other) noexcept
      : counts_(std::exchange(other.counts_, nullptr)), established_(other.established_) {}
  GenerationSeat& operator=(GenerationSeat&& other) noexcept {
    std::swap(counts_, other.counts_);
    std::swap(established_, other.established_);
    return *this;
  }
  ~GenerationSeat() {
    if (counts_ == nullptr) return;
    if (!established_) counts_->failed_.fetch_add(1, std::memory_order_relaxed);
    counts_->drop(established_ ? counts_->connections_ : counts_->handshakes_);
  }

  /// The handshake is done.
  void establish() {
    if (counts_ == nullptr || std::exchange(established_, true)) return;
    counts_->completed_.fetch_add(1, std::memory_order_relaxed);
    counts_->connections_.fetch_add(1);
    counts_->drop(counts_->handshakes_);
  }

 private:
  GenerationCounts* counts_ = nullptr;
  bool established_ = false;
};

}  // namespace livetls
