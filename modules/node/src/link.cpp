#include "link.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "livetls/base/log.hpp"

namespace livetls::node {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kMaxReasonBytes = 1024;

std::string encoded(FrameKind kind) {
  std::string bytes;
  append(Frame{.kind = kind}, bytes);
  return bytes;
}

/// A task that was cancelled throws, too, and that is no fault of its handler.
bool was_cancelled(const std::exception& thrown) {
  const auto* error = dynamic_cast<const boost::system::system_error*>(&thrown);
  return error != nullptr && error->code() == asio::error::operation_aborted;
}

}  // namespace

// ---- A connection ------------------------------------------------------------------------------

Lane::Lane(Connection& on, std::size_t max_queued_bytes)
    : executor(on.get_executor()),
      connection(&on),
      outbox(max_queued_bytes, [this] { wake(); }),
      news(executor) {}

void Lane::wake() {
  asio::post(executor, [self = shared_from_this()] { self->news.cancel(); });
}

void Lane::cut() {
  asio::post(executor, [self = shared_from_this()] {
    if (self->connection != nullptr) self->connection->cut();
    self->news.cancel();
  });
}

// ---- Its life ----------------------------------------------------------------------------------

Link::Link(std::shared_ptr<Core> core, Peer peer, const Hello& theirs, Hello::LinkId id,
           std::size_t connections)
    : core_(std::move(core)),
      peer_(std::make_shared<const Peer>(std::move(peer))),
      id_(id),
      max_payload_(theirs.max_payload),
      incarnation_(theirs.incarnation),
      lanes_(connections) {}

Result<void> Link::add(std::size_t number, std::shared_ptr<Lane> lane) {
  {
    const std::scoped_lock lock(mutex_);
    if (stage_ != Stage::forming) return Error(NodeErrc::link_down);
    if (number >= lanes_.size() || lanes_[number]) return Error(NodeErrc::too_many_connections);
    lanes_[number] = std::move(lane);
    if (std::ranges::count(lanes_, nullptr) > 0) return {};
  }
  come_up();
  return {};
}

/// Listed first, so that whatever ends it from then on finds it in the list.
void Link::come_up() {
  core_->links.set_up(shared_from_this());
  bool leaves = core_->stopping;
  {
    const std::scoped_lock lock(mutex_);
    if (stage_ == Stage::forming) {
      stage_ = Stage::up;
      leaves = leaves || leaves_when_up_;
    }
  }
  if (is_down()) return core_->links.set_down(*this);
  tell(true, {});
  if (leaves || core_->stopping) leave();
}

void Link::leave() {
  std::vector<std::shared_ptr<ServedSubscription>> served;
  {
    const std::scoped_lock lock(mutex_);
    if (stage_ == Stage::forming) leaves_when_up_ = true;
    if (stage_ != Stage::up) return;
    stage_ = Stage::leaving;
    for (const auto& [id, subscription] : served_) served.push_back(subscription);
    for (const auto& lane : lanes_) lane->outbox.close_to_new();
  }
  core_->links.set_leaving(shared_from_this());
  for (const auto& subscription : served) subscription->end(NodeErrc::link_down);
  room_->check();
  nudge();
}

void Link::fail(Error reason) {
  decltype(replies_) replies;
  decltype(subscriptions_) subscriptions;
  decltype(served_) served;
  decltype(lanes_) lanes;
  Stage before;
  {
    const std::scoped_lock lock(mutex_);
    before = std::exchange(stage_, Stage::down);
    if (before == Stage::down) return;
    replies.swap(replies_);
    subscriptions.swap(subscriptions_);
    served.swap(served_);
    lanes = lanes_;
  }
  for (const auto& lane : lanes) {
    if (!lane) continue;
    lane->outbox.close();
    lane->cut();
  }
  core_->links.set_down(*this);
  const Error told(NodeErrc::link_down, peer_->name.text() + ": " + reason.message());
  for (const auto& [id, reply] : replies) reply->complete(told);
  for (const auto& [id, subscription] : subscriptions) {
    if (const auto alive = subscription.lock()) alive->end(told);
  }
  for (const auto& [id, subscription] : served) subscription->end(NodeErrc::link_down);
  room_->check();
  if (before == Stage::forming) return;
  ++core_->counters.links_lost;
  tell(false, reason);
}

void Link::lane_ended(Lane& lane, bool is_fine) {
  lane.connection = nullptr;
  if (!is_fine) return fail(Error(NodeErrc::link_down, "a connection was lost"));
  {
    const std::scoped_lock lock(mutex_);
    if (++lanes_ended_ < lanes_.size() || stage_ == Stage::down) return;
    stage_ = Stage::down;
  }
  core_->links.set_down(*this);
  tell(false, {});
}

void Link::tell(bool is_up, const Error& reason) const {
  const std::string& name = peer_->name.text();
  if (is_up) {
    log(LogLevel::info, "linked to " + name);
  } else {
    log(LogLevel::info, "the link to " + name + " has ended" +
                            (reason.code ? ": " + reason.message() : std::string()));
  }
  if (core_->options.on_link) core_->options.on_link({is_up, name, reason});
}

bool Link::is_down() const {
  const std::scoped_lock lock(mutex_);
  return stage_ == Stage::down;
}

void Link::nudge() {
  decltype(lanes_) lanes;
  {
    const std::scoped_lock lock(mutex_);
    lanes = lanes_;
  }
  for (const auto& lane : lanes) {
    if (lane) lane->wake();  // the peer may leave before all are there
  }
}

bool Link::is_leaving() const {
  const std::scoped_lock lock(mutex_);
  return stage_ == Stage::leaving;
}

std::string Link::farewell(Lane& lane) {
  bool all_done = false;
  {
    const std::scoped_lock lock(mutex_);
    if (stage_ != Stage::leaving) return {};
    all_done = lanes_left_ == lanes_.size() && being_handled_ == 0 && replies_.empty() &&
               subscriptions_.empty();
  }
  // Looked at last: what is done has put its reply there before.
  if (!lane.outbox.is_empty()) return {};
  if (!std::exchange(lane.leave_sent, true)) return encoded(FrameKind::leave);
  if (lane.peer_left && lane.lines.empty() && !std::exchange(lane.settled_sent, true)) {
    return encoded(FrameKind::settled);
  }
  if (!all_done || !lane.settled_sent || std::exchange(lane.fin_sent, true)) return {};
  return encoded(FrameKind::fin);
}

// ---- Sending -----------------------------------------------------------------------------------

std::shared_ptr<Lane> Link::lane_for(std::uint32_t stream) const {
  return lanes_[stream % lanes_.size()];
}

Link::Sent Link::put(Frame& frame) {
  const auto lane = lane_for(frame.stream);
  const Outbox::Put put = lane->outbox.put(frame);
  if (put == Outbox::Put::done) ++core_->counters.messages_sent;
  return {put, lane};
}

Task<boost::system::error_code> Link::wait_for_room(std::shared_ptr<Lane> lane, std::size_t cost,
                                                    Lane::Clock::time_point until) {
  const auto has_room = [lane, cost] { return lane->outbox.has_room(cost); };
  const auto [error] =
      co_await room_->async_wait(has_room, until - Lane::Clock::now(), asio::as_tuple(use_task));
  co_return error;
}

void Link::room_made() { room_->check(); }

std::uint64_t Link::expect_reply(std::shared_ptr<PendingReply> reply) {
  const std::scoped_lock lock(mutex_);
  if (stage_ != Stage::up) return 0;
  const std::uint64_t id = next_id_++;
  replies_.emplace(id, std::move(reply));
  return id;
}

void Link::forget_reply(std::uint64_t id) {
  {
    const std::scoped_lock lock(mutex_);
    if (replies_.erase(id) == 0 || stage_ != Stage::leaving) return;
  }
  nudge();
}

std::shared_ptr<Subscription::State> Link::expect_events(std::uint32_t stream) {
  const std::scoped_lock lock(mutex_);
  if (stage_ != Stage::up) return nullptr;
  const std::uint64_t id = next_id_++;
  auto state =
      std::make_shared<Subscription::State>(weak_from_this(), lane_for(stream), id, stream);
  subscriptions_.emplace(id, state);
  return state;
}

void Link::forget_events(std::uint64_t id) {
  {
    const std::scoped_lock lock(mutex_);
    if (subscriptions_.erase(id) == 0 || stage_ != Stage::leaving) return;
  }
  nudge();
}

void Link::unsubscribe(const Subscription::State& subscription) {
  {
    const std::scoped_lock lock(mutex_);
    if (subscriptions_.erase(subscription.id) == 0) return;  // it has ended
  }
  Frame frame{.kind = FrameKind::unsubscribe, .stream = subscription.stream, .id = subscription.id};
  subscription.lane->outbox.put(frame);
  nudge();
}

// ---- Receiving ---------------------------------------------------------------------------------

Result<void> Link::receive(const std::shared_ptr<Lane>& lane, Frame frame) {
  std::shared_ptr<PendingReply> reply;
  std::shared_ptr<Subscription::State> subscription;
  std::shared_ptr<ServedSubscription> served;
  {
    const std::scoped_lock lock(mutex_);
    if (const auto found = served_.find(frame.id); found != served_.end()) served = found->second;
    if (const auto found = subscriptions_.find(frame.id); found != subscriptions_.end()) {
      subscription = found->second.lock();
    }
    if (const auto found = replies_.find(frame.id); found != replies_.end()) reply = found->second;
  }
  const auto reason = [&frame] {
    if (frame.is_unknown_service) return Error(NodeErrc::unknown_service);
    return Error(NodeErrc::handler_failed, frame.payload);
  };
  switch (frame.kind) {
    case FrameKind::message:
    case FrameKind::request:
    case FrameKind::subscribe: return receive_new(lane, std::move(frame));
    case FrameKind::reply:
      if (reply) reply->complete(Payload(std::move(frame.payload), frame.is_json));
      forget_reply(frame.id);
      return {};
    case FrameKind::failure:
      if (reply) reply->complete(reason());
      forget_reply(frame.id);
      return {};
    case FrameKind::event:
      if (subscription && !subscription->add(Payload(std::move(frame.payload), frame.is_json))) {
        return Error(NodeErrc::protocol_violation, "more events than were asked for");
      }
      return {};
    case FrameKind::end: {
      const bool is_fault = frame.is_unknown_service || !frame.payload.empty();
      if (subscription) subscription->end(is_fault ? reason() : Error());
      forget_events(frame.id);
      return {};
    }
    case FrameKind::unsubscribe: {
      const auto line = lane->lines.find(frame.stream);
      if (line != lane->lines.end()) {  // what it is about may be in it
        line->second.push_back(std::move(frame));
      } else if (served) {
        served->end(NodeErrc::cancelled);
      }
      return {};
    }
    case FrameKind::credit:
      if (frame.id == 0) {
        lane->outbox.grant(frame.stream);
      } else if (served) {
        served->grant(frame.stream);
      }
      return {};
    case FrameKind::ping: return {};
    case FrameKind::leave: peer_leaves(*lane); return {};
    case FrameKind::settled: lane_is_settled(); return {};
    case FrameKind::fin: return {};
  }
  return {};
}

Result<void> Link::receive_new(const std::shared_ptr<Lane>& lane, Frame frame) {
  const std::size_t allowed = kInitialCredit + core_->options.max_message_bytes + kMaxFrameOverhead;
  lane->taken += cost(frame);
  if (lane->taken > allowed + 256) {
    return Error(NodeErrc::protocol_violation, "more than there was credit for");
  }
  {
    const std::scoped_lock lock(mutex_);
    ++being_handled_;
  }
  ++core_->counters.messages_received;
  const std::uint32_t stream = frame.stream;
  const auto [line, is_first] = lane->lines.try_emplace(stream);
  line->second.push_back(std::move(frame));
  if (is_first) core_->tasks_on(lane->executor).spawn(work_off(lane, stream));
  return {};
}

/// What came in one stream, in order: each message is waited for, requests are begun.
Task<void> Link::work_off(std::shared_ptr<Lane> lane, std::uint32_t stream) {
  const auto self = shared_from_this();
  for (auto line = lane->lines.find(stream); !line->second.empty();
       line = lane->lines.find(stream)) {
    Frame frame = std::move(line->second.front());
    line->second.pop_front();
    TaskGroup& tasks = core_->tasks_on(lane->executor);
    if (frame.kind == FrameKind::request) {
      tasks.spawn(handle_request(lane, std::move(frame)));
    } else if (frame.kind == FrameKind::subscribe) {
      auto served = serve(lane, frame);
      tasks.spawn(handle_subscribe(lane, std::move(frame), std::move(served)));
    } else if (frame.kind == FrameKind::unsubscribe) {
      end_served(frame.id);
    } else {
      const std::size_t credit = cost(frame);
      co_await handle_message(std::move(frame));
      done_with(lane, credit);
    }
  }
  lane->lines.erase(stream);
  if (is_leaving()) lane->wake();
}

Message Link::message_of(Frame& frame) const {
  return {peer_, std::move(frame.service), Payload(std::move(frame.payload), frame.is_json)};
}

/// Back to the peer goes what it may send again, a good part at a time.
void Link::done_with(const std::shared_ptr<Lane>& lane, std::size_t credit) {
  lane->to_give_back += credit;
  if (lane->to_give_back >= static_cast<std::size_t>(kInitialCredit) / 4) {
    const std::size_t given = std::exchange(lane->to_give_back, 0);
    lane->taken -= given;
    Frame frame{.kind = FrameKind::credit, .stream = static_cast<std::uint32_t>(given)};
    lane->outbox.put(frame);
  }
  {
    const std::scoped_lock lock(mutex_);
    --being_handled_;
    if (stage_ != Stage::leaving) return;
  }
  nudge();
}

Task<void> Link::handle_message(Frame frame) {
  const auto& services = core_->options.services.messages;
  const auto service = services.find(frame.service);
  if (service == services.end()) {
    ++core_->counters.unknown_services;
    log(LogLevel::warning,
        "a message from " + peer_->name.text() + " for a service that is not here");
    co_return;
  }
  try {
    co_await service->second(message_of(frame));
  } catch (const std::exception& thrown) {
    if (was_cancelled(thrown)) throw;
    ++core_->counters.failed_handlers;
    log(LogLevel::error, "service " + service->first + " threw: " + thrown.what());
  }
}

Task<void> Link::handle_request(std::shared_ptr<Lane> lane, Frame frame) {
  const auto self = shared_from_this();
  const std::size_t credit = cost(frame);
  const auto& services = core_->options.services.requests;
  const auto service = services.find(frame.service);
  Frame answer{.kind = FrameKind::failure, .id = frame.id};
  if (service == services.end()) {
    ++core_->counters.unknown_services;
    answer.is_unknown_service = true;
  } else {
    try {
      const Result<Payload> reply = co_await service->second(message_of(frame));
      if (reply && reply->bytes().size() <= max_payload_) {
        answer.kind = FrameKind::reply;
        answer.is_json = reply->is_json();
        answer.payload = reply->bytes();
      } else {
        answer.payload =
            reply ? "the reply is too large" : reply.error().message().substr(0, kMaxReasonBytes);
      }
    } catch (const std::exception& thrown) {
      if (!was_cancelled(thrown)) {
        ++core_->counters.failed_handlers;
        log(LogLevel::error, "service " + service->first + " threw: " + thrown.what());
      }
      answer.payload = "it failed";
    }
  }
  lane->outbox.put(answer);
  done_with(lane, credit);
}

Task<void> Link::handle_subscribe(std::shared_ptr<Lane> lane, Frame frame,
                                  std::shared_ptr<ServedSubscription> served) {
  const auto self = shared_from_this();
  const std::size_t credit = cost(frame);
  const auto& services = core_->options.services.events;
  const auto service = services.find(frame.service);
  Frame end{.kind = FrameKind::end, .id = frame.id};
  if (service == services.end()) {
    ++core_->counters.unknown_services;
    end.is_unknown_service = true;
  } else {
    try {
      co_await service->second(message_of(frame), *served);
    } catch (const std::exception& thrown) {
      if (!was_cancelled(thrown)) {
        ++core_->counters.failed_handlers;
        log(LogLevel::error, "service " + service->first + " threw: " + thrown.what());
      }
      end.payload = "it failed";
    }
  }
  {
    const std::scoped_lock lock(mutex_);
    served_.erase(frame.id);
  }
  lane->outbox.put(end);
  done_with(lane, credit);
}

/// Known from now on, to what may end it.
std::shared_ptr<ServedSubscription> Link::serve(const std::shared_ptr<Lane>& lane,
                                                const Frame& frame) {
  auto served = std::make_shared<ServedSubscription>(weak_from_this(), lane, frame.id);
  bool is_over = false;
  {
    const std::scoped_lock lock(mutex_);
    is_over = stage_ != Stage::up || !served_.emplace(frame.id, served).second;
  }
  if (is_over) served->end(NodeErrc::link_down);
  return served;
}

void Link::end_served(std::uint64_t id) {
  std::shared_ptr<ServedSubscription> served;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = served_.find(id);
    if (found == served_.end()) return;
    served = found->second;
  }
  served->end(NodeErrc::cancelled);
}

void Link::lane_is_settled() {
  {
    const std::scoped_lock lock(mutex_);
    if (++lanes_settled_ < lanes_.size()) return;
  }
  core_->links.set_down(*this);
}

void Link::peer_leaves(Lane& lane) {
  if (std::exchange(lane.peer_left, true)) return;
  {
    const std::scoped_lock lock(mutex_);
    ++lanes_left_;
  }
  leave();
  nudge();
}

}  // namespace livetls::node
