#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "send_queue.hpp"

namespace livetls::tcp {

namespace asio = boost::asio;

Result<void> Sender::send(std::string_view payload) const { return queue_->put(payload); }

Task<Result<void>> Sender::send_when_room(std::string payload,
                                          std::chrono::steady_clock::duration within) const {
  const auto queue = queue_;
  const auto until = Queue::Clock::now() + within;
  while (true) {
    const Result<void> sent = queue->put(payload);
    if (sent || sent.error().code != asio::error::no_buffer_space) co_return sent;
    const auto waited = co_await queue->wait_for_room(payload.size(), until - Queue::Clock::now());
    if (waited) co_return Error(waited, "no room to send a message");
  }
}

Result<void> Sender::Queue::put(std::string_view payload) {
  const Result<std::string> header = framer_.header_for(payload);
  if (!header) return header.error();
  {
    const std::scoped_lock lock(mutex_);
    if (closed_) return Error(asio::error::shut_down);
    if (!has_room(payload.size())) return Error(asio::error::no_buffer_space);
    queued_.append(*header).append(payload).append(framer_.trailer());
    if (!std::exchange(writer_waits_, false)) return {};
  }
  wake();
  return {};
}

Task<boost::system::error_code> Sender::Queue::wait_for_room(std::size_t bytes,
                                                             Clock::duration within) {
  const auto may_try = [this, bytes] {
    const std::scoped_lock lock(mutex_);
    return closed_ || has_room(bytes);
  };
  const auto [error] = co_await room_->async_wait(may_try, within, asio::as_tuple(use_task));
  co_return error;
}

void Sender::Queue::wake() {
  asio::post(executor_, [self = shared_from_this()] { self->news_.cancel(); });
}

void Sender::Queue::close() {
  {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
  }
  room_->check();
  wake();
}

std::string Sender::Queue::take() {
  std::string taken;
  {
    const std::scoped_lock lock(mutex_);
    taken.swap(queued_);
  }
  if (!taken.empty()) room_->check();
  return taken;
}

bool Sender::Queue::is_closed() const {
  const std::scoped_lock lock(mutex_);
  return closed_;
}

Task<bool> Sender::Queue::wait_for_news(Clock::duration period) {
  const auto now = Clock::now();
  const bool endless = period >= Clock::time_point::max() - now;
  news_.expires_at(endless ? Clock::time_point::max() : now + period);
  {
    const std::scoped_lock lock(mutex_);
    if (closed_ || !queued_.empty()) co_return true;  // put before the wait began
    writer_waits_ = true;
  }
  const auto [woken] = co_await news_.async_wait(asio::as_tuple(use_task));
  co_return static_cast<bool>(woken);
}

}  // namespace livetls::tcp
