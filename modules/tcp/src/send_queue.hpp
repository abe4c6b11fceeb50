#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "livetls/async/timer.hpp"
#include "livetls/async/waiters.hpp"
#include "livetls/tcp/framing.hpp"
#include "livetls/tcp/sender.hpp"

namespace livetls::tcp {

/// Messages that wait to be written, framed. Thread-safe, but for what is the writer's.
class Sender::Queue : public std::enable_shared_from_this<Sender::Queue> {
 public:
  using Clock = std::chrono::steady_clock;

  Queue(Executor executor, Framer framer, std::size_t max_bytes)
      : framer_(std::move(framer)), max_bytes_(max_bytes), executor_(executor), news_(executor) {}

  Result<void> put(std::string_view payload);
  Task<boost::system::error_code> wait_for_room(std::size_t bytes, Clock::duration within);

  /// Nothing is taken any more; what is queued can be written yet.
  void close();

  // For the writer, on its thread
  std::string take();
  bool is_closed() const;

  /// Until there is something to write, or nothing will be: true. After `period`, false.
  Task<bool> wait_for_news(Clock::duration period);

 private:
  bool has_room(std::size_t bytes) const {
    return queued_.empty() || queued_.size() + bytes <= max_bytes_;
  }
  void wake();

  const Framer framer_;
  const std::size_t max_bytes_;
  const Executor executor_;
  Timer news_;
  const std::shared_ptr<Waiters> room_ = std::make_shared<Waiters>();

  mutable std::mutex mutex_;
  std::string queued_;
  bool writer_waits_ = false;
  bool closed_ = false;
};

}  // namespace livetls::tcp
