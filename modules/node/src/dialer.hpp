#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core.hpp"
#include "link.hpp"
#include "livetls/async/timer.hpp"
#include "routes.hpp"

namespace livetls::node {

/// How long to wait before a node is called again, after so many attempts before: longer each time,
/// and by chance shorter, so that nodes that lost each other do not call all at once.
std::chrono::steady_clock::duration reconnect_pause(const NodeOptions& options, std::size_t attempt,
                                                    std::uint8_t chance);

/// Calls other nodes, and keeps calling those that a link was lost to.
///
/// Thread-safe.
class Dialer : public std::enable_shared_from_this<Dialer> {
 public:
  explicit Dialer(std::shared_ptr<Core> core);

  using Clock = std::chrono::steady_clock;

  /// A link to a node that takes what is new: the one there is, or a new one. Errors: as for
  /// Node::send.
  Task<Result<std::shared_ptr<Link>>> link_to(std::string to, Clock::time_point until);

  /// Ends what is being called; on each thread of the runtime.
  void cancel_on(std::size_t thread);
  Task<void> wait_on(std::size_t thread);

 private:
  using RoutePtr = std::shared_ptr<const ReadyRoute>;

  struct Call {
    bool running = false;
    std::size_t waiting = 0;
    std::uint64_t given_up = 0;  // times
    Error last_error;
  };

  Task<Result<std::shared_ptr<Link>>> wait_for(const NodeName& name, Clock::time_point until);
  std::uint64_t times_given_up(const NodeName& name);
  void begin(const NodeName& name);
  Task<void> keep_linked(NodeName name);
  bool goes_on_after(const NodeName& name, const Error& error, bool was_linked);
  Task<Result<void>> call(const NodeName& name);
  Task<Result<void>> call_on(RoutePtr route, NodeName name);
  Task<Result<void>> connect_on(std::size_t thread, const RoutePtr& route, const NodeName& name,
                                const Hello& hello, std::shared_ptr<Link>& link);
  Task<Result<void>> connect(RoutePtr route, NodeName name, Hello hello,
                             std::shared_ptr<Link>& link);
  Task<Result<std::vector<RoutePtr>>> find_routes(const NodeName& name);
  Task<void> pause(std::size_t attempt);

  const std::shared_ptr<Core> core_;
  std::vector<std::unique_ptr<TaskGroup>> calls_on_;  // by thread
  std::vector<std::unique_ptr<Timer>> stopped_on_;    // by thread, cancelled by a stop

  std::mutex mutex_;
  std::map<NodeName, Call> calls_;
  std::size_t next_thread_ = 0;
};

}  // namespace livetls::node
