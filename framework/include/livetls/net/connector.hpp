#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "livetls/net/connection.hpp"
#include "livetls/net/tcp_options.hpp"
#include "livetls/pki/certificate_info.hpp"
#include "livetls/pki/trust_bundle.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "livetls/tls/tls_policy.hpp"

namespace livetls {

/// How connections are made. The defaults verify the server. Durations must be above zero.
struct ConnectorOptions {
  /// The roots that servers are verified against; the operating system's when empty.
  std::optional<TrustBundle> roots = {};

  /// Those instead that the manager's servers verify clients against, as of the handshake, from one
  /// snapshot with the certificate: for peers that connect to each other.
  bool roots_of_manager = false;

  TlsPolicy policy = {};

  /// Connections tell their channel binding; see Connection.
  bool channel_binding = false;

  /// Application protocols to offer, the preferred first.
  std::vector<std::string> alpn = {};

  /// Accepts any certificate, for all connections: they are open to whoever sits between. Pins hold
  /// nevertheless.
  bool insecure_skip_verify = false;

  /// Without TLS.
  bool plain = false;

  /// Resume sessions where a server allows it (TLS 1.3): with the same certificate of ours, to the
  /// same target, and only where nothing is pinned.
  bool resume = true;

  TcpOptions tcp = {};

  /// For all addresses together, behind the name's resolution.
  std::chrono::steady_clock::duration connect_timeout = std::chrono::seconds(10);

  /// When the next address is tried, too, if one has not answered (RFC 8305, section 5).
  std::chrono::steady_clock::duration attempt_delay = std::chrono::milliseconds(250);

  std::chrono::steady_clock::duration handshake_timeout = std::chrono::seconds(5);
};

/// What to connect to. It has a constructor because g++ 12 destroys what is made with braces alone
/// twice, where that is part of an awaited call.
struct Target {
  Target(std::string host_name, std::uint16_t port_number = 0)
      : host(std::move(host_name)), port(port_number) {}

  std::string host;  ///< a name, an address, or "unix:" and a path
  std::uint16_t port = 0;

  /// What the server's certificate must be for, and what it is asked for; empty: `host`.
  std::string server_name = {};

  /// One of these must be the public key of the server's certificate (SHA-256 of its
  /// SubjectPublicKeyInfo), beside all else; empty: any.
  std::vector<Fingerprint> pins = {};

  /// As in ConnectorOptions, for this connection.
  bool insecure_skip_verify = false;
};

/// Makes outgoing connections, over TLS or plain. To a server that asks for a certificate it shows
/// the manager's, which is current when the handshake begins.
///
/// Thread safety: connect from any server thread, at the same time. Lifetime: the connector must
/// outlive its calls, but not the connections.
class Connector {
 public:
  /// `manager` is nullptr where there is no certificate to show. Throws std::invalid_argument for
  /// options out of range, and boost::system::system_error where the system has no roots.
  explicit Connector(std::shared_ptr<const CertManager> manager, ConnectorOptions options = {});
  ~Connector();

  /// A connection whose handshake is done; close it when it is no longer needed. The context of an
  /// error says whom it was about. Errors: invalid_server_name, timed_out, the resolver's and the
  /// transport's; no_client_roots (see `roots_of_manager`); those of the handshake, such as
  /// peer_untrusted, peer_expired, peer_name_mismatch, handshake_timeout; peer_not_pinned.
  Task<Result<std::unique_ptr<Connection>>> connect(Target target);

 private:
  class Trust;
  Result<std::shared_ptr<Trust>> trust_for(bool skip_verify);

  std::shared_ptr<const CertManager> manager_;
  ConnectorOptions options_;
  struct Current;
  std::unique_ptr<Current> current_;
};

}  // namespace livetls
