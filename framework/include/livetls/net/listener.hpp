#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "livetls/net/connection.hpp"
#include "livetls/net/runtime.hpp"
#include "livetls/net/tcp_options.hpp"
#include "livetls/rotation/cert_manager.hpp"

namespace livetls {

class SocketFile;

/// Where and how a server listens.
struct ListenerOptions {
  /// An IP address, or a Unix socket: "unix:/run/app.sock". "::" takes IPv4 as well, and gives way
  /// to "0.0.0.0" where there is no IPv6. A Unix socket that nobody listens on is replaced, and
  /// removed at the end.
  std::string address = "::";

  /// 0: one that the kernel chooses; Listener::port tells.
  std::uint16_t port = 0;

  /// Who may connect to a Unix socket: 0600 is this user, 0660 the file's group as well.
  unsigned unix_permissions = 0600;

  /// Of the connections, where they are of TCP.
  TcpOptions tcp = {};

  /// Without TLS. Must be said where no CertManager is given, and only there.
  bool plain = false;

  /// Application protocols, the preferred first; see ServerConfig.
  std::vector<std::string> alpn = {};
  UnknownName unknown_name = UnknownName::serve_default;
  MissingName missing_name = MissingName::serve_default;

  /// Connections tell their channel binding; see Connection.
  bool channel_binding = false;

  /// Proxies, as addresses or networks ("10.0.0.0/8"), that say with the PROXY protocol (1 or 2)
  /// for whom they connect; all connections must then come from one. "unix:" stands for all Unix
  /// sockets. Empty: nobody is believed.
  std::vector<std::string> proxies = {};

  /// What a client is told, without TLS, that speaks HTTP to a TLS port; empty: nothing.
  std::string plain_http_answer = {};

  /// From accept to the end of the handshake. Range: above zero.
  std::chrono::steady_clock::duration handshake_timeout = std::chrono::seconds(5);

  /// Connections above this are closed as soon as they are accepted, unless one that is still in
  /// its handshake can be closed instead (see `stalled_after`).
  std::size_t max_connections = 100'000;

  /// Connections whose ClientHello has not come whole: they cost a socket and what has come. At
  /// this limit, one that has stalled is closed for the one that comes; if none has stalled,
  /// accepting pauses.
  std::size_t max_pending = 10'000;

  /// Handshakes under way, from the ClientHello on. At this limit, one that has stalled is closed;
  /// if none has stalled, the next ones wait for their turn.
  std::size_t max_handshakes = 1'000;

  /// A client that keeps the server waiting for longer than this, for its ClientHello or for the
  /// rest of its handshake, is closed where a limit is reached or descriptors run out, the longest
  /// first. Where most connections wait so, a quarter of it is enough. Until then, accepting
  /// pauses. Range: from zero to a day.
  std::chrono::steady_clock::duration stalled_after = std::chrono::milliseconds(200);

  /// Connections that the kernel holds until they are accepted. Range: above zero.
  int backlog = 4096;

  /// The pause after accept has failed for lack of descriptors or memory. Range: from a millisecond
  /// to an hour.
  std::chrono::steady_clock::duration accept_retry_delay = std::chrono::milliseconds(100);
};

/// What has happened at a listener since it was made; open_connections, pending and
/// handshakes_in_flight are of now.
struct ListenerCounters {
  std::uint64_t accepted = 0;
  std::uint64_t accept_errors = 0;
  std::uint64_t over_limit = 0;  ///< closed because of max_connections
  std::uint64_t no_proxy = 0;    ///< closed: from none of the proxies, or without their header
  std::uint64_t evicted = 0;     ///< closed in their handshake to make room for others
  std::uint64_t open_connections = 0;
  std::uint64_t pending = 0;  ///< before their handshake: no whole ClientHello yet, or queued
  std::uint64_t handshakes_in_flight = 0;  ///< from the ClientHello on
  std::uint64_t handshakes = 0;            ///< completed

  // Handshakes that failed, by reason
  std::uint64_t not_tls = 0;
  std::uint64_t plain_http = 0;
  std::uint64_t malformed = 0;             ///< a ClientHello that cannot be read, or is too large
  std::uint64_t unrecognized_name = 0;     ///< or no name where one is required
  std::uint64_t no_common_parameters = 0;  ///< version, cipher suite or application protocol
  std::uint64_t refused_by_peer = 0;     ///< the client sent an alert: mostly, it did not trust us
  std::uint64_t client_certificate = 0;  ///< missing where required, or rejected: see the log
  std::uint64_t timed_out = 0;
  std::uint64_t disconnected = 0;
  std::uint64_t other_failures = 0;

  std::uint64_t failed_handshakes() const noexcept {
    return not_tls + plain_http + malformed + unrecognized_name + no_common_parameters +
           refused_by_peer + client_certificate + timed_out + disconnected + other_failures;
  }
};

/// Accepts connections on every thread of the runtime, does their TLS handshake, and runs a handler
/// for each. One bad peer never stops it, nor does an accept that fails.
///
/// Thread safety: counters and port from any thread. Lifetime: stops, and waits for its
/// connections, when it is destroyed or its runtime stops; the runtime must outlive it.
class Listener final : public Service, private ConnectionHolder {
 public:
  /// Runs on a server thread. What it throws is logged and ends this connection alone.
  using Handler = std::function<Task<void>(Connection&)>;

  /// Throws std::invalid_argument for options out of range or a manager where `.plain = true` (or
  /// none where not), and boost::system::system_error where the address cannot be listened on.
  Listener(Runtime& runtime, std::shared_ptr<CertManager> manager, Handler handler,
           ListenerOptions options);
  ~Listener() override;

  std::uint16_t port() const noexcept;
  ListenerCounters counters() const;

  Task<void> stop(std::chrono::steady_clock::duration grace) override;

 private:
  class Shard;

  void drain(const DrainOrder& order) override;

  Runtime& runtime_;
  std::shared_ptr<CertManager> manager_;  // nullptr: plain
  std::unique_ptr<SocketFile> file_;      // of a Unix socket
  std::vector<std::unique_ptr<Shard>> shards_;
  std::uint16_t port_ = 0;
};

}  // namespace livetls
