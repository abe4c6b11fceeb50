#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "livetls/net/listener.hpp"
#include "livetls/web/router.hpp"

namespace livetls::web {

struct Site;

/// Where and how a web server listens. Durations and limits must be above zero.
struct ServerOptions {
  /// An IP address, or a Unix socket: "unix:/run/app.sock". "::" takes IPv4 as well, and gives way
  /// to "0.0.0.0" where there is no IPv6. A Unix socket that nobody listens on is replaced, and
  /// removed at the end.
  std::string address = "::";

  /// 0: one that the kernel chooses; Server::port tells.
  std::uint16_t port = 0;

  /// Who may connect to a Unix socket: 0600 is this user, 0660 the file's group as well.
  unsigned unix_permissions = 0600;

  /// HTTP without TLS. Must be said where no CertManager is given, and only there.
  bool plain = false;

  /// Proxies, as addresses or networks ("10.0.0.0/8"), that say with the PROXY protocol (1 or 2)
  /// for whom they connect; all connections must then come from one. "unix:" stands for all Unix
  /// sockets. Empty: nobody is believed.
  std::vector<std::string> proxies = {};

  /// What a client gets that asks TLS for a name no certificate is for.
  UnknownName unknown_name = UnknownName::serve_default;

  /// From accept to the end of the TLS handshake.
  std::chrono::steady_clock::duration handshake_timeout = std::chrono::seconds(5);

  /// From a request's first byte to the end of its header; after it a 408. As long may a new
  /// connection take to its first byte; after it, it is closed.
  std::chrono::steady_clock::duration header_timeout = std::chrono::seconds(10);

  /// How long a client may keep the server waiting for a body altogether, and a second more for
  /// every `min_body_rate` bytes that have come; after it a 408.
  std::chrono::steady_clock::duration body_timeout = std::chrono::seconds(30);

  /// In bytes a second.
  std::uint64_t min_body_rate = 4 * 1024;

  /// How long a connection is kept for a next request.
  std::chrono::steady_clock::duration idle_timeout = std::chrono::seconds(60);

  /// How long a connection that waits for a request may still send one when the server stops, or
  /// drains it: a request may be on its way. It is answered, with `Connection: close`.
  std::chrono::steady_clock::duration last_call = std::chrono::milliseconds(300);

  /// How long the client may take for each 256 KiB of a response.
  std::chrono::steady_clock::duration write_timeout = std::chrono::seconds(30);

  /// Of the request line and all fields together, in bytes. Above it a 431. Range: from 256.
  std::size_t max_header_bytes = 16 * 1024;

  /// Of one request. Above it a 431.
  std::size_t max_header_fields = 100;

  /// On one connection; the last is answered with `Connection: close`. So a client that never stops
  /// asking meets the current certificate and policy in the end.
  std::uint64_t max_requests = 100'000;

  /// Of one request, in bytes; middleware may set another for some (Request::max_body_bytes). Above
  /// it a 413.
  std::size_t max_body_bytes = 1024 * 1024;

  /// Connections, those of them that have not sent their ClientHello whole, TLS handshakes under
  /// way, and when one that keeps the server waiting makes room for others: see ListenerOptions.
  std::size_t max_connections = 100'000;
  std::size_t max_pending = 10'000;
  std::size_t max_handshakes = 1'000;
  std::chrono::steady_clock::duration stalled_after = std::chrono::milliseconds(200);
};

/// What has happened at a server since it was made.
struct ServerCounters : ListenerCounters {
  std::uint64_t requests = 0;  ///< whose header came whole and was accepted

  // Requests refused, by reason
  std::uint64_t malformed = 0;         ///< not HTTP/1.1, ambiguous, or in a coding not known
  std::uint64_t header_too_large = 0;  ///< in bytes or fields
  std::uint64_t header_timed_out = 0;  ///< before it was whole, or before its first byte
  std::uint64_t body_too_large = 0;
  std::uint64_t body_timed_out = 0;
  std::uint64_t misdirected = 0;  ///< to a host with other rules for clients (421)

  std::uint64_t failed = 0;           ///< answered with a 500 or more
  std::uint64_t write_timed_out = 0;  ///< the client did not take its response
  std::uint64_t client_gone = 0;      ///< in the middle of a request or a response
};

/// An HTTP/1.1 server, over TLS with the manager's certificates or plain:
///
///     web::Server server(runtime, manager, router, {.port = 8443});
///
/// Connections are kept alive and may pipeline. A request that is not HTTP, is ambiguous about
/// where it ends, or exceeds a limit is refused with its status, and the connection closed. A
/// handler that throws gives a 500 that tells nothing; the operator's log has the reason.
///
/// A stop closes idle connections after `last_call`; a request that has begun is finished, and its
/// response says `Connection: close`.
///
/// Thread safety: port and counters from any thread. Lifetime: the destructor, or a stop of the
/// runtime, stops accepting and waits for the connections; the runtime must outlive the server.
class Server {
 public:
  /// Listens from now on. Throws std::invalid_argument for options out of range or where neither a
  /// manager nor `.plain = true` is given, and boost::system::system_error where the address cannot
  /// be listened on.
  Server(Runtime& runtime, std::shared_ptr<CertManager> manager, Router router,
         ServerOptions options = {});

  std::uint16_t port() const noexcept { return listener_.port(); }
  ServerCounters counters() const;

 private:
  std::shared_ptr<const Site> site_;
  Listener listener_;
};

}  // namespace livetls::web
