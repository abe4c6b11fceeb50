#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "livetls/async/task.hpp"

namespace livetls {

/// A time limit that moves often and expires seldom: moving it later costs no timer operation.
///
/// Thread safety: use it on its executor's thread only. The callback is never called after the
/// deadline was cleared or destroyed.
class Deadline {
 public:
  Deadline(Executor executor, std::function<void()> on_expiry);
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  ~Deadline();

  /// Replaces the limit; zero or less means none.
  void expires_after(std::chrono::steady_clock::duration duration);
  void clear() noexcept;

  /// Whether the limit that was set last has passed.
  bool expired() const noexcept;

 private:
  struct State;
  static void arm(const std::shared_ptr<State>& state, std::chrono::steady_clock::time_point at);

  std::shared_ptr<State> state_;
};

}  // namespace livetls
