#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "livetls/async/waiters.hpp"
#include "livetls/tls/generation_counts.hpp"

namespace livetls {

/// How far out of use everything before a generation is. Each includes the ones before it.
enum class Milestone {
  visible,   ///< the generation is what new handshakes get
  quiesced,  ///< no handshake is in flight on an older one
  drained,   ///< no connection either
  erased,    ///< older snapshots are gone, with the private keys that only they held
};

/// Who still uses which generation, and who waits for that to end. Thread-safe; the handshakes
/// themselves only touch their own generation's counts.
class Generations : public std::enable_shared_from_this<Generations> {
 public:
  /// Is told, on any thread, that everything before a generation is quiesced, drained or erased:
  /// once for each, and only for the newest of several that get there together.
  using Listener = std::function<void(Milestone milestone, std::uint64_t generation)>;

  explicit Generations(Listener on_milestone = {}) : on_milestone_(std::move(on_milestone)) {}

  struct Use {
    std::uint64_t generation;
    std::uint64_t handshakes;   ///< in flight
    std::uint64_t connections;  ///< established
    HandshakeTotals totals;     ///< since its publication
  };

  /// Those whose snapshot is still in memory, the oldest first.
  std::vector<Use> uses() const;

  /// See Waiters::async_wait.
  template <class Token>
  auto async_wait(Milestone milestone, std::uint64_t generation,
                  std::chrono::steady_clock::duration within, Token&& token) {
    return waiters_->async_wait([self = shared_from_this(), milestone,
                                 generation] { return self->reached(milestone, generation); },
                                within, std::forward<Token>(token));
  }

  // For the CertManager and its snapshots
  void add(std::uint64_t generation, std::shared_ptr<GenerationCounts> counts);
  void made_current(std::uint64_t generation);
  void gone(std::uint64_t generation, const GenerationCounts& counts);
  void check_waiters();

 private:
  static constexpr std::array kReported = {Milestone::quiesced, Milestone::drained,
                                           Milestone::erased};

  bool reached(Milestone milestone, std::uint64_t generation) const;
  std::uint64_t oldest_in_use(Milestone milestone) const;  // with mutex_ held
  void report_milestones();

  Listener on_milestone_;
  std::shared_ptr<Waiters> waiters_ = std::make_shared<Waiters>();
  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::shared_ptr<GenerationCounts>> alive_;  // they outlive the snapshot
  std::uint64_t current_ = 0;
  std::array<std::uint64_t, kReported.size()> reported_ = {1, 1, 1};  // nothing is before the first
};

}  // namespace livetls
