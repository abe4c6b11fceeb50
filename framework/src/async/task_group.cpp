#include "livetls/async/task_group.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <exception>

#include "livetls/base/describe.hpp"
#include "livetls/base/log.hpp"

namespace livetls {

namespace asio = boost::asio;

TaskGroup::TaskGroup(Executor executor)
    : executor_(executor), empty_(executor, std::chrono::steady_clock::time_point::max()) {}

void TaskGroup::spawn(Task<void> task) {
  const auto entry = running_.emplace(running_.end());
  auto on_end = [this, entry](std::exception_ptr exception) { ended(entry, exception); };
  try {
    asio::co_spawn(executor_, std::move(task),
                   asio::bind_cancellation_slot(entry->slot(), std::move(on_end)));
  } catch (...) {
    running_.erase(entry);  // it never began
    throw;
  }
}

void TaskGroup::cancel() {
  for (auto task = running_.begin(); task != running_.end();) {
    (task++)->emit(asio::cancellation_type::terminal);
  }
}

Task<void> TaskGroup::wait() {
  while (!running_.empty()) co_await empty_.async_wait(asio::as_tuple(use_task));
}

void TaskGroup::ended(Running::iterator task, std::exception_ptr exception) {
  running_.erase(task);
  if (running_.empty()) empty_.cancel();
  if (!exception) return;
  try {
    std::rethrow_exception(exception);
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) return;  // it was cancelled
  } catch (...) {
  }
  log(LogLevel::error, "a task ended with an exception: " + describe(exception));
}

}  // namespace livetls
