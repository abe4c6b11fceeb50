#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "core.hpp"
#include "frame.hpp"
#include "livetls/net/connection.hpp"
#include "outbox.hpp"
#include "streams.hpp"

namespace livetls::node {

/// One connection of a link. What is not the outbox belongs to the connection's thread.
struct Lane : std::enable_shared_from_this<Lane> {
  using Clock = std::chrono::steady_clock;
  using Timer = boost::asio::basic_waitable_timer<Clock, boost::asio::wait_traits<Clock>, Executor>;

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
  std::map<std::uint32_t, std::deque<Frame>> lines;  // received, by stream, while one is handled
  std::size_t taken = 0;                             // of the credit that the peer was given
  std::size_t to_give_back = 0;
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

  // ---- Its life

  /// A connection that belongs to it. Errors: too_many_connections.
  Result<void> add(std::size_t number, std::shared_ptr<Lane> lane);

  /// Ends it in order: what is under way is finished, and nothing new begun.
  void leave();

  /// Ends it at once; the first reason counts.
  void fail(Error reason);

  /// A connection has ended, in order where `is_fine`.
  void lane_ended(Lane& lane, bool is_fine);

  // ---- For the coroutines of a connection

  /// Errors: protocol_violation.
  Result<void> receive(const std::shared_ptr<Lane>& lane, Frame frame);

  /// What is to be said when nothing else is to be sent: that the link is being left, and that all
  /// is done. Empty: nothing.
  std::string farewell(Lane& lane);

  bool is_down() const;
  void room_made();

 private:
  enum class Stage { forming, up, leaving, down };

  Result<void> receive_new(const std::shared_ptr<Lane>& lane, Frame frame);
  Task<void> work_off(std::shared_ptr<Lane> lane, std::uint32_t stream);
  Task<void> handle_message(Frame frame);
  Task<void> handle_request(std::shared_ptr<Lane> lane, Frame frame);
  Task<void> handle_subscribe(std::shared_ptr<Lane> lane, Frame frame,
                              std::shared_ptr<ServedSubscription> served);
  void done_with(const std::shared_ptr<Lane>& lane, std::size_t credit);
  std::shared_ptr<ServedSubscription> serve(const std::shared_ptr<Lane>& lane, const Frame& frame);
  void end_served(std::uint64_t id);
  void peer_leaves(Lane& lane);
  void lane_is_settled();
  bool is_leaving() const;
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
  Stage stage_ = Stage::forming;
  bool leaves_when_up_ = false;
  std::vector<std::shared_ptr<Lane>> lanes_;  // nullptr until it is there
  std::size_t lanes_left_ = 0;                // that the peer begins nothing new on
  std::size_t lanes_settled_ = 0;             // on which the peer has handled all of ours
  std::size_t lanes_ended_ = 0;
  std::size_t being_handled_ = 0;
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, std::shared_ptr<PendingReply>> replies_;
  std::map<std::uint64_t, std::weak_ptr<Subscription::State>> subscriptions_;
  std::map<std::uint64_t, std::shared_ptr<ServedSubscription>> served_;
};

}  // namespace livetls::node
