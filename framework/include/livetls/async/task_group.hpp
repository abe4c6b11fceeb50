#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <cstddef>
#include <list>

#include "livetls/async/task.hpp"
#include "livetls/async/timer.hpp"

namespace livetls {

/// Owns coroutines on one server thread, so that none outlives what it works on: they can be
/// cancelled together and waited for. What one throws is logged and ends that one alone.
///
/// Thread safety: use it on its executor's thread only. Lifetime: must outlive its tasks; wait for
/// them first.
class TaskGroup {
 public:
  explicit TaskGroup(Executor executor);
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  void spawn(Task<void> task);

  /// Ends whatever the tasks wait for: it throws operation_aborted in them, and so does what they
  /// wait for next.
  void cancel();

  std::size_t size() const noexcept { return running_.size(); }

  /// Completes when no task is left.
  Task<void> wait();

 private:
  using Running = std::list<boost::asio::cancellation_signal>;

  void ended(Running::iterator task, std::exception_ptr exception);

  Executor executor_;
  Running running_;
  Timer empty_;
};

}  // namespace livetls
