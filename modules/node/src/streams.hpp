#pragma once

#include <boost/asio/as_tuple.hpp>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "frame.hpp"
#include "livetls/async/waiters.hpp"
#include "livetls/node/message.hpp"
#include "livetls/node/node.hpp"

namespace livetls::node {

class Link;
struct Lane;

/// A request that waits for its reply. Thread-safe.
class PendingReply {
 public:
  void complete(Result<Payload> reply);
  Task<Result<Payload>> wait(std::chrono::steady_clock::time_point until);

 private:
  std::mutex mutex_;
  std::optional<Result<Payload>> reply_;
  const std::shared_ptr<Waiters> completed_ = std::make_shared<Waiters>();
};

/// Events on their way to who has subscribed to them.
struct Subscription::State {
  State(std::weak_ptr<Link> on, std::shared_ptr<Lane> via, std::uint64_t number,
        std::uint32_t in_stream)
      : link(std::move(on)), lane(std::move(via)), id(number), stream(in_stream) {}

  /// False where more have come than were asked for.
  bool add(Payload event);
  void end(Error reason);  ///< none where all is well
  Task<Result<std::optional<Payload>>> next();

  const std::weak_ptr<Link> link;
  const std::shared_ptr<Lane> lane;
  const std::uint64_t id;
  const std::uint32_t stream;

  std::mutex mutex;
  std::deque<Payload> events;
  std::uint32_t taken = 0;  // and not yet given back to who writes them
  std::optional<Error> ended;
  const std::shared_ptr<Waiters> changed = std::make_shared<Waiters>();
};

/// A subscription of the peer, and what writes its events.
class ServedSubscription final : public EventWriter {
 public:
  ServedSubscription(std::weak_ptr<Link> link, std::shared_ptr<Lane> lane, std::uint64_t id)
      : link_(std::move(link)), lane_(std::move(lane)), id_(id) {}

  Task<Result<void>> write(Payload event) override;

  void grant(std::uint32_t events);
  void end(NodeErrc reason);

 private:
  const std::weak_ptr<Link> link_;
  const std::shared_ptr<Lane> lane_;
  const std::uint64_t id_;

  std::mutex mutex_;
  std::uint64_t window_ = kEventWindow;
  std::optional<NodeErrc> ended_;
  const std::shared_ptr<Waiters> changed_ = std::make_shared<Waiters>();
};

}  // namespace livetls::node
