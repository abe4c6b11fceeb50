#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "histogram.hpp"
#include "livetls/tls/client_context.hpp"

namespace livetls::bench {

using Clock = std::chrono::steady_clock;

/// What one operation is.
enum class LoadMode {
  handshakes,  ///< connect, handshake, a request and its response (if there is one), close
  requests,    ///< a request and its response on a connection that is kept
  echo,        ///< a message that comes back, on a connection that is kept
  websocket,   ///< the same as text over a WebSocket, which the path leads to
};

/// A handshake as a client sees it.
struct Sighting {
  Clock::time_point hello_sent;
  Clock::time_point done;
  std::uint64_t certificate;  ///< a hash of the leaf; 0 where a session was resumed
};

struct LoadOptions {
  boost::asio::ip::tcp::endpoint target = {};
  std::string server_name = "localhost";
  std::shared_ptr<const ClientContext> client =
      {};  ///< make_load_client's, or any; nullptr: no TLS
  LoadMode mode = LoadMode::handshakes;

  /// Resumes a session of TLS 1.3 where the server has given a ticket. Handshakes only.
  bool resume = false;

  /// What is asked over HTTP; empty for nothing, where handshakes are all.
  std::string path = "/";

  /// JSON that is posted there; empty: a GET.
  std::string json = {};

  /// Of a message that is echoed; over a WebSocket, up to 65,535.
  std::size_t message_bytes = 64;

  /// So many at a time.
  std::size_t connections = 32;

  /// Operations a second, begun on time whatever became of those before, their latency counted from
  /// when they should have begun; 0: each connection's next as soon as one is done.
  double rate = 0;

  /// The load ends after so many operations, or so long, whichever is first.
  std::uint64_t operations = std::numeric_limits<std::uint64_t>::max();
  Clock::duration duration = std::chrono::hours(24);

  /// The load ends, too, when this is true. Asked for on the load's thread.
  std::function<bool()> is_over = {};

  /// Never sleeps: it takes a whole processor, which the server must not need, and spares the
  /// server the interrupts that wake a sleeping client on the same machine (in virtual ones, 2 us
  /// each).
  bool polls = false;

  /// Called for every handshake, and for every interval, on the load's thread.
  std::function<void(const Sighting&)> on_handshake = {};
  Clock::duration interval = std::chrono::milliseconds(100);
};

struct LoadInterval {
  double begin_s;  ///< since the load began
  std::uint64_t operations;
  double p99_us;
};

struct LoadResult {
  Histogram latency;
  std::uint64_t operations = 0;  ///< that went well
  std::uint64_t handshakes = 0;
  std::uint64_t resumed = 0;
  std::uint64_t failed = 0;
  std::uint64_t owed =
      0;  ///< at a fixed rate: due, and never begun, for all connections were taken
  std::map<std::string, std::uint64_t> failures;  ///< by reason
  Clock::time_point began;
  double seconds = 0;

  /// How much of a processor the load took while it ran, polls that brought nothing left out: at 1
  /// it was the bottleneck, and what it has measured is itself.
  double busy = 0;

  std::vector<LoadInterval> intervals;

  double per_second() const { return seconds > 0 ? static_cast<double>(operations) / seconds : 0; }
  void add(const LoadResult& other);  ///< of another thread, at the same time
};

/// As many descriptors as the system allows, for this process and those it starts.
void raise_descriptor_limit();

/// Runs on the calling thread until it ends. Failed operations are counted, not thrown.
LoadResult run_load(const LoadOptions& options);

/// Connections that do nothing, held until the object goes. Throws where one cannot be made.
class IdleConnections {
 public:
  explicit IdleConnections(LoadOptions options);
  ~IdleConnections();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace livetls::bench
