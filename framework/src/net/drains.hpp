#pragma once

#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstdint>
#include <list>

#include "livetls/async/task.hpp"
#include "livetls/async/timer.hpp"
#include "livetls/net/connection.hpp"
#include "livetls/rotation/drain.hpp"

namespace livetls {

using Connections = boost::intrusive::list<Connection, boost::intrusive::constant_time_size<false>>;

/// Ends connections of one server thread, as revocations order it: notices spread over a time, and
/// the end of patience after it.
///
/// Thread safety: use it on its executor's thread only.
class Drains {
 public:
  /// `connections` must outlive it.
  Drains(Executor executor, Connections& connections)
      : connections_(connections), timer_(executor) {}

  void begin(const DrainOrder& order);

  /// Everything is being stopped, so nothing is left to order; what ends is still counted.
  void stop();

  /// A connection that is being served; says when it is over.
  class Watch {
   public:
    Watch(Drains& drains, Connection& connection) : drains_(drains), connection_(connection) {}
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch() { drains_.ended(connection_); }

   private:
    Drains& drains_;
    Connection& connection_;
  };

 private:
  using Clock = std::chrono::steady_clock;

  struct Drain {
    DrainOrder order;
    Clock::time_point begun;
    std::uint64_t found;
    std::uint64_t told = 0;
    std::uint64_t open;

    bool concerns(const Connection& connection) const;
    std::uint64_t due(Clock::time_point now) const;
  };

  void tell(Drain& drain, std::uint64_t count);
  void cut(Drain& drain);
  void tick();
  void ended(const Connection& connection);

  Connections& connections_;
  Timer timer_;
  std::list<Drain> drains_;
  bool stopped_ = false;
};

}  // namespace livetls
