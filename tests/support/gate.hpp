#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "livetls/async/task.hpp"
#include "livetls/async/timer.hpp"

namespace livetls::test {

/// Holds coroutines of a server back until the test lets them go on.
class Gate {
 public:
  Task<void> pass() {
    const auto timer = std::make_shared<Timer>(co_await boost::asio::this_coro::executor,
                                               Clock::time_point::max());
    if (!enqueue(timer)) co_return;
    co_await timer->async_wait(boost::asio::as_tuple(use_task));
    dequeue(timer);  // the server may have ended the wait
  }

  std::size_t waiting() const {
    const std::scoped_lock lock(mutex_);
    return waiting_.size();
  }

  void open() {
    const std::scoped_lock lock(mutex_);
    open_ = true;
    for (const auto& timer : waiting_) {
      boost::asio::post(timer->get_executor(), [timer] { timer->cancel(); });
    }
    waiting_.clear();
  }

 private:
  using Clock = std::chrono::steady_clock;

  bool enqueue(const std::shared_ptr<Timer>& timer) {
    const std::scoped_lock lock(mutex_);
    if (!open_) waiting_.push_back(timer);
    return !open_;
  }

  void dequeue(const std::shared_ptr<Timer>& timer) {
    const std::scoped_lock lock(mutex_);
    std::erase(waiting_, timer);
  }

  mutable std::mutex mutex_;
  bool open_ = false;
  std::vector<std::shared_ptr<Timer>> waiting_;
};

}  // namespace livetls::test
