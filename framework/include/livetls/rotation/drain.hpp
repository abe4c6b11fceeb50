#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "livetls/async/waiters.hpp"
#include "livetls/tls/server_context.hpp"

namespace livetls {

/// How far the connections that a revocation concerns have come to an end. Thread-safe.
class DrainProgress {
 public:
  struct Counts {
    std::uint64_t found = 0;  ///< that had to end
    std::uint64_t ended = 0;  ///< by themselves, after a notice or before it came
    std::uint64_t cut = 0;    ///< at the deadline

    std::uint64_t open() const noexcept { return found - ended - cut; }
  };

  Counts counts() const noexcept {
    const std::uint64_t ended = ended_, cut = cut_;  // first: what has ended had been found
    return {found_, ended, cut};
  }

  /// All holders have looked, and no connection is left.
  bool finished() const noexcept { return looking_.load() == 0 && counts().open() == 0; }

  /// Completes when finished; see Waiters::async_wait.
  template <class Token>
  auto async_finished(const std::shared_ptr<DrainProgress>& self,
                      std::chrono::steady_clock::duration within, Token&& token) {
    return waiters_->async_wait([self] { return self->finished(); }, within,
                                std::forward<Token>(token));
  }

  // For holders of connections
  void begin_looking() noexcept { looking_.fetch_add(1); }
  void found(std::uint64_t connections) noexcept { found_.fetch_add(connections); }
  void end_looking() { looking_.fetch_sub(1), check(); }
  void ended() { ended_.fetch_add(1), check(); }
  void cut() { cut_.fetch_add(1), check(); }

 private:
  void check() {
    if (finished()) waiters_->check();
  }

  std::atomic<std::uint64_t> looking_ = 0;
  std::atomic<std::uint64_t> found_ = 0;
  std::atomic<std::uint64_t> ended_ = 0;
  std::atomic<std::uint64_t> cut_ = 0;
  std::shared_ptr<Waiters> waiters_ = std::make_shared<Waiters>();
};

/// Asks holders of connections to end some of them.
struct DrainOrder {
  /// Whether a connection that was served this must end. Called on any thread.
  std::function<bool(const Served&)> concerns;

  /// The notices are spread over this time, so that clients do not come back all at once.
  std::chrono::steady_clock::duration spread{};

  /// What is still open then is cut.
  std::chrono::steady_clock::duration deadline{};

  std::shared_ptr<DrainProgress> progress;
};

/// Something that keeps connections which were served by a manager; every Listener is one.
class ConnectionHolder {
 public:
  virtual ~ConnectionHolder() = default;

  /// Called on any thread; must not block. `order.progress` is looking already, once for each call.
  virtual void drain(const DrainOrder& order) = 0;
};

}  // namespace livetls
