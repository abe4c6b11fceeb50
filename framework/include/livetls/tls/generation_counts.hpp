#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

#include "livetls/tls/handshake_counts.hpp"

namespace livetls {

/// Counts the connections that were served what was published at one time, those in their handshake
/// apart. Thread-safe.
class GenerationCounts {
 public:
  /// `on_idle` is called, from any thread, when one of the counts falls to zero after `retire`.
  explicit GenerationCounts(std::function<void()> on_idle) : on_idle_(std::move(on_idle)) {}

  std::int64_t handshakes() const noexcept { return handshakes_.load(); }
  std::int64_t connections() const noexcept { return connections_.load(); }

  /// Since the beginning.
  HandshakeTotals totals() const noexcept { return counts_.totals(); }

  /// Another generation has been published.
  void retire() noexcept { retired_.store(true); }

 private:
  friend class GenerationSeat;

  void drop(std::atomic<std::int64_t>& count) {
    if (count.fetch_sub(1) == 1 && retired_.load() && on_idle_) on_idle_();
  }

  std::atomic<std::int64_t> handshakes_ = 0;
  std::atomic<std::int64_t> connections_ = 0;  // whose handshake is done
  HandshakeCounts counts_;
  std::atomic<bool> retired_ = false;
  std::function<void()> on_idle_;
};

/// One connection's place in the counts, from the choice of what it is served to its end: in those
/// of its generation, and of its identity once that is known.
class GenerationSeat {
 public:
  GenerationSeat() = default;
  explicit GenerationSeat(GenerationCounts& counts) : generation_(&counts) {
    counts.handshakes_.fetch_add(1);
  }
  GenerationSeat(GenerationSeat&& other) noexcept
      : generation_(std::exchange(other.generation_, nullptr)),
        identity_(std::exchange(other.identity_, nullptr)),
        stage_(other.stage_) {}
  GenerationSeat& operator=(GenerationSeat&& other) noexcept {
    std::swap(generation_, other.generation_);
    std::swap(identity_, other.identity_);
    std::swap(stage_, other.stage_);
    return *this;
  }
  ~GenerationSeat() {
    if (generation_ == nullptr) return;
    fail(HandshakeFailure::disconnected);  // unless it is known better
    generation_->drop(stage_ == Stage::established ? generation_->connections_
                                                   : generation_->handshakes_);
  }

  /// `identity` must live as long as the seat.
  void found(HandshakeCounts& identity, NameMatch match) noexcept {
    if (generation_ == nullptr) return;
    identity_ = &identity;
    identity.add_asked(match);
    generation_->counts_.add_asked(match);
  }

  /// The handshake is done.
  void establish(bool resumed = false) {
    if (generation_ == nullptr || stage_ != Stage::handshake) return;
    stage_ = Stage::established;
    generation_->counts_.add_completed(resumed);
    if (identity_ != nullptr) identity_->add_completed(resumed);
    generation_->connections_.fetch_add(1);
    generation_->drop(generation_->handshakes_);
  }

  /// The handshake has failed; the first reason counts.
  void fail(HandshakeFailure why) noexcept {
    if (generation_ == nullptr || stage_ != Stage::handshake) return;
    stage_ = Stage::failed;
    generation_->counts_.add_failed(why);
    if (identity_ != nullptr) identity_->add_failed(why);
  }

 private:
  enum class Stage { handshake, established, failed };

  GenerationCounts* generation_ = nullptr;
  HandshakeCounts* identity_ = nullptr;
  Stage stage_ = Stage::handshake;
};

}  // namespace livetls
