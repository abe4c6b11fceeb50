#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core.hpp"
#include "frame.hpp"
#include "livetls/async/timer.hpp"
#include "livetls/net/connection.hpp"
#include "outbox.hpp"
#include "streams.hpp"

namespace livetls::node {

class Link;

/// One connection of a link. What is not the outbox belongs to the connection's thread.
struct Lane : std::enable_shared_from_this<Lane> {
  using Clock = std::chrono::steady_clock;

  Lane(Connection& on, std::size_t max_queued_bytes);

  /// Any thread.
  void wake();
  void cut();

  const Executor executor;
  Connection* connection;  // nullptr when it has ended
  Outbox outbox;
  Timer news;  // there is something to send

  bool leave_sent = false;
  bool peer_left = false;
  bool settled_sent = false;
  bool fin_sent = false;
  std::map<std::uint32_t, std::vector<Frame>> lines;  // received, by stream, while one is handled
  std::size_t taken = 0;                              // of the credit that the peer was given
  std::size_t to_give_back = 0;
};

/// A connection of a link, while it is open: who drops this has lost it, but for what was said to
/// be in order.
class OpenLane {
 public:
  OpenLane(std::shared_ptr<Link> link, std::shared_ptr<Lane> lane);
  OpenLane(OpenLane&&) noexcept = default;
  ~OpenLane();

  const std::shared_ptr<Link>& link() const noexcept { return link_; }
  const std::shared_ptr<Lane>& lane() const noexcept { return lane_; }

  void ended_in_order() noexcept { in_order_ = true; }

 private:
  std::shared_ptr<Link> link_;  // nullptr when moved from
  std::shared_ptr<Lane> lane_;
  bool in_order_ = false;
};

/// What connects this node to another one: one or more connections, and what is under way on them.
///
/// Thread-safe, but for what is for a connection's own coroutines.
class Link : public std::enable_shared_from_this<Link> {
 public:
  Link(std::shared_ptr<Core> core, Peer peer, const Hello& theirs, Hello::LinkId id,
       std::size_t connections);

  const Peer& peer() const noexcept { return *peer_; }
  const Hello::LinkId& id() const noexcept { return id_; }
  std::size_t max_payload() const noexcept { return max_payload_; }    ///< the peer takes
  std::uint64_t incarnation() const noexcept { return incarnation_; }  ///< the peer's

  // ---- Sending

  struct Sent {
    Outbox::Put put;
    std::shared_ptr<Lane> lane;
  };
  Sent put(Frame& frame);

  /// For the frame with this id, which is never 0; 0 where the link takes nothing new.
  std::uint64_t expect_reply(std::shared_ptr<PendingReply> reply);
  void forget_reply(std::uint64_t id);

  /// nullptr where the link takes nothing new.
  std::shared_ptr<Subscription::State> expect_events(std::uint32_t stream);
  void forget_events(std::uint64_t id);
  void unsubscribe(const Subscription::State& subscription);

  /// Where a frame of this stream goes.
  std::shared_ptr<Lane> lane_for(std::uint32_t stream) const;

  /// Completes when there may be room for a frame, or the link takes none any more.
  Task<boost::system::error_code> wait_for_room(std::shared_ptr<Lane> lane, std::size_t cost,
                                                Lane::Clock::time_point until);

  /// Completes when more replies and events may be made, or none go any more.
  Task<void> wait_to_answer(std::shared_ptr<Lane> lane);

  // ---- Its life

  /// A connection that belongs to it from now on. Errors: link_down, too_many_connections.
  Result<OpenLane> add(std::size_t number, Connection& connection);

  /// Ends it in order: what is under way is finished, and nothing new begun.
  void leave();

  /// Ends it at once; the first reason counts.
  void fail(Error reason);

  /// For OpenLane.
  void lane_ended(Lane& lane, bool in_order);

  // ---- For the coroutines of a connection

  /// Errors: protocol_violation.
  Result<void> receive(const std::shared_ptr<Lane>& lane, Frame&& frame);

  /// What is to be said when nothing else is to be sent: that the link is being left, and that all
  /// is done. Empty: nothing.
  std::string farewell(Lane& lane);

  bool is_down() const { return stage_ == Stage::down; }
  void room_made();

 private:
  enum class Stage { forming, up, leaving, down };

  Result<void> receive_new(const std::shared_ptr<Lane>& lane, Frame&& frame);
  void receive_reply(Frame& frame);
  Result<void> receive_event(Frame& frame);
  void receive_end(const Frame& frame);
  Result<void> receive_unsubscribe(Lane& lane, Frame&& frame);
  void receive_credit(Lane& lane, const Frame& frame);

  /// What is under way with this id; empty where nothing is.
  template <class T>
  T find(const std::map<std::uint64_t, T>& what, std::uint64_t id) const {
    const std::scoped_lock lock(mutex_);
    const auto found = what.find(id);
    return found == what.end() ? T() : found->second;
  }

  Task<void> work_off(std::shared_ptr<Lane> lane, std::uint32_t stream);
  void begin(const std::shared_ptr<Lane>& lane, Frame frame);
  Task<void> handle_request(std::shared_ptr<Lane> lane, Frame frame);
  Task<void> handle_subscribe(std::shared_ptr<Lane> lane, Frame frame,
                              std::shared_ptr<ServedSubscription> served);
  template <class Handler>
  auto service_for(const std::map<std::string, Handler, std::less<>>& services,
                   const Frame& frame) const -> decltype(&*services.begin());
  void handler_threw(const std::string& service) const;
  void done_with(Lane& lane, std::size_t credit);
  std::shared_ptr<ServedSubscription> serve(const std::shared_ptr<Lane>& lane, const Frame& frame);
  void end_served(std::uint64_t id);
  void peer_leaves(Lane& lane);
  void lane_is_settled();
  bool is_leaving() const { return stage_ == Stage::leaving; }
  void nudge();
  Message message_of(Frame& frame) const;
  void come_up();
  void tell(bool is_up, const Error& reason) const;

  const std::shared_ptr<Core> core_;
  const std::shared_ptr<const Peer> peer_;
  const Hello::LinkId id_;
  const std::size_t max_payload_;
  const std::uint64_t incarnation_;
  const std::shared_ptr<Waiters> room_ = std::make_shared<Waiters>();

  mutable std::mutex mutex_;
  std::atomic<Stage> stage_ = Stage::forming;  // changed with the lock, read without
  bool leaves_when_up_ = false;
  std::vector<std::shared_ptr<Lane>> lanes_;  // nullptr until it is there
  std::size_t lanes_left_ = 0;                // that the peer begins nothing new on
  std::size_t lanes_settled_ = 0;             // on which the peer has handled all of ours
  std::size_t lanes_ended_ = 0;
  std::atomic<std::size_t> being_handled_ = 0;
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, std::shared_ptr<PendingReply>> replies_;
  std::map<std::uint64_t, std::weak_ptr<Subscription::State>> subscriptions_;
  std::map<std::uint64_t, std::shared_ptr<ServedSubscription>> served_;
};

}  // namespace livetls::node
