#include "link.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "livetls/base/describe.hpp"
#include "livetls/base/log.hpp"

namespace livetls::node {

namespace asio = boost::asio;

namespace {

std::string encoded(FrameKind kind) {
  std::string bytes;
  append(Frame{.kind = kind}, bytes);
  return bytes;
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

OpenLane::OpenLane(std::shared_ptr<Link> link, std::shared_ptr<Lane> lane)
    : link_(std::move(link)), lane_(std::move(lane)) {}

OpenLane::~OpenLane() {
  if (link_) link_->lane_ended(*lane_, in_order_);
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

Result<OpenLane> Link::add(std::size_t number, Connection& connection) {
  auto lane = std::make_shared<Lane>(connection, core_->options.max_queued_bytes);
  bool is_whole = false;
  {
    const std::scoped_lock lock(mutex_);
    if (stage_ != Stage::forming) return Error(NodeErrc::link_down);
    if (number >= lanes_.size() || lanes_[number]) return Error(NodeErrc::too_many_connections);
    lanes_[number] = lane;
    is_whole = std::ranges::count(lanes_, nullptr) == 0;
  }
  OpenLane opened(shared_from_this(), std::move(lane));
  if (is_whole) come_up();
  return opened;
}

/// Listed first, so that whatever ends it from then on finds it in the list.
void Link::come_up() {
  core_->links.set_up(shared_from_this());
  bool leaves = false;
  {
    const std::scoped_lock lock(mutex_);
    if (stage_ == Stage::forming) stage_ = Stage::up;
    leaves = leaves_when_up_;
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
    before = stage_.exchange(Stage::down);
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

void Link::lane_ended(Lane& lane, bool in_order) {
  lane.connection = nullptr;
  if (!in_order) return fail(Error(NodeErrc::link_down, "a connection was lost"));
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
  if (!core_->options.on_link) return;
  try {
    core_->options.on_link({is_up, name, reason});
  } catch (...) {
    log(LogLevel::error, "on_link threw: " + describe(std::current_exception()));
  }
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

Task<void> Link::wait_to_answer(std::shared_ptr<Lane> lane) {
  const auto has_room = [lane] { return lane->outbox.has_room_for_answers(); };
  co_await room_->async_wait(has_room, Waiters::kForever, asio::as_tuple(use_task));
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

}  // namespace livetls::node
