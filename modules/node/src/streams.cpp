#include "streams.hpp"

#include "link.hpp"

namespace livetls::node {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

// ---- Requests ----------------------------------------------------------------------------------

void PendingReply::complete(Result<Payload> reply) {
  {
    const std::scoped_lock lock(mutex_);
    if (reply_) return;
    reply_ = std::move(reply);
  }
  completed_->check();
}

Task<Result<Payload>> PendingReply::wait(Clock::time_point until) {
  const auto is_there = [this] {
    const std::scoped_lock lock(mutex_);
    return reply_.has_value();
  };
  const auto [error] =
      co_await completed_->async_wait(is_there, until - Clock::now(), asio::as_tuple(use_task));
  const std::scoped_lock lock(mutex_);
  if (reply_) co_return std::move(*reply_);
  co_return Error(error, "waiting for a reply");
}

// ---- Events, where they are waited for ---------------------------------------------------------

bool Subscription::State::add(Payload event) {
  {
    const std::scoped_lock lock(mutex);
    if (ended) return true;
    if (events.size() >= kEventWindow) return false;
    events.push_back(std::move(event));
  }
  changed->check();
  return true;
}

void Subscription::State::end(Error reason) {
  {
    const std::scoped_lock lock(mutex);
    if (ended) return;
    ended = std::move(reason);
  }
  changed->check();
}

Task<Result<std::optional<Payload>>> Subscription::State::next() {
  const auto has_news = [this] {
    const std::scoped_lock lock(mutex);
    return !events.empty() || ended.has_value();
  };
  const auto [error] =
      co_await changed->async_wait(has_news, Waiters::kForever, asio::as_tuple(use_task));
  std::optional<Payload> event;
  std::uint32_t given_back = 0;
  {
    const std::scoped_lock lock(mutex);
    if (events.empty()) {
      if (error) co_return Error(error);
      if (ended->code) co_return *ended;
      co_return event;
    }
    event = std::move(events.front());
    events.pop_front();
    if (++taken >= kEventWindow / 4) given_back = std::exchange(taken, 0);
  }
  if (given_back > 0) {
    Frame credit{.kind = FrameKind::credit, .stream = given_back, .id = id};
    lane->outbox.put(credit);
  }
  co_return event;
}

Subscription::Subscription(std::shared_ptr<State> state) : state_(std::move(state)) {}

Subscription::~Subscription() {
  if (!state_) return;
  if (const auto link = state_->link.lock()) link->unsubscribe(*state_);
}

Task<Result<std::optional<Payload>>> Subscription::next() {
  const std::shared_ptr<State> state = state_;
  co_return co_await state->next();
}

// ---- Events, where they come from --------------------------------------------------------------

Task<Result<void>> ServedSubscription::write(Payload event) {
  const auto link = link_.lock();
  if (!link) co_return Error(NodeErrc::link_down);
  if (event.bytes().size() > link->max_payload()) co_return Error(NodeErrc::message_too_large);
  const auto may_go_on = [this] {
    const std::scoped_lock lock(mutex_);
    return window_ > 0 || ended_.has_value();
  };
  const auto [error] =
      co_await changed_->async_wait(may_go_on, Waiters::kForever, asio::as_tuple(use_task));
  if (error) co_return Error(error);
  if (!lane_->outbox.has_room_for_answers()) co_await link->wait_to_answer(lane_);
  {
    const std::scoped_lock lock(mutex_);
    if (ended_) co_return Error(*ended_);
    --window_;
  }
  Frame frame{
      .kind = FrameKind::event, .is_json = event.is_json(), .id = id_, .payload = event.bytes()};
  if (lane_->outbox.put(frame) != Outbox::Put::done) co_return Error(NodeErrc::link_down);
  co_return Result<void>();
}

void ServedSubscription::grant(std::uint32_t events) {
  {
    const std::scoped_lock lock(mutex_);
    window_ += events;
  }
  changed_->check();
}

void ServedSubscription::end(NodeErrc reason) {
  {
    const std::scoped_lock lock(mutex_);
    if (!ended_) ended_ = reason;
  }
  changed_->check();
}

}  // namespace livetls::node
