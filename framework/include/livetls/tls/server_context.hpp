#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "livetls/base/result.hpp"
#include "livetls/pki/certificate.hpp"
#include "livetls/pki/trust_bundle.hpp"
#include "livetls/tls/client_auth.hpp"
#include "livetls/tls/client_hello.hpp"
#include "livetls/tls/generation_counts.hpp"
#include "livetls/tls/ticket_keys.hpp"
#include "livetls/tls/tls_policy.hpp"

namespace livetls {

/// What a certificate is served under.
struct ServingPolicy {
  TlsPolicy tls = {};
  ClientAuth client_auth = ClientAuth::none;

  /// Whom clients' certificates are verified against. Must be there where they are verified.
  std::optional<TrustBundle> client_roots = {};

  /// Application protocols, the preferred first; the listener's when empty.
  std::vector<std::string> alpn = {};

  /// What session tickets are sealed with; none are issued without. Clients that are asked for a
  /// certificate get none, either: resuming would take the place of showing it.
  std::shared_ptr<const TicketKeys> ticket_keys = {};

  /// Public keys whose tickets under the same names must not open any more; part of what tickets
  /// are sealed under.
  std::vector<Fingerprint> revoked_keys = {};

  friend bool operator==(const ServingPolicy&, const ServingPolicy&) = default;
};

/// A certificate made ready to serve under a policy. Immutable once built: a new certificate is a
/// new context. Safe to share between threads.
class ServerContext {
 public:
  /// Errors: certificate_unusable where the TLS library refuses it; no_client_roots.
  static Result<std::shared_ptr<const ServerContext>> build(const Certificate& certificate,
                                                            const ServingPolicy& policy);
  ~ServerContext();

  const Certificate& certificate() const noexcept { return certificate_; }
  const ServingPolicy& policy() const noexcept { return policy_; }

  struct State;  // the TLS library's side, defined in src/wolfssl/context.hpp
  const State& state() const noexcept { return *state_; }

 private:
  ServerContext(Certificate certificate, ServingPolicy policy, std::unique_ptr<State> state);

  Certificate certificate_;
  ServingPolicy policy_;
  std::unique_ptr<State> state_;
};

/// Whether a client can take a certificate with this kind of key under `policy`: the signature
/// algorithms it offers, in TLS 1.2 also curves and cipher suites (RFC 8446, sections 4.2.3 and
/// 4.4.2.2; RFC 5246, section 7.4.2). False where it offers no group that we have.
bool is_usable_by(const ClientHello& hello, KeyType key_type, const TlsPolicy& policy) noexcept;

/// Whether a client says that it can verify the signatures in the chain. Where none is like that
/// it is sent one all the same (RFC 8446, section 4.4.2.2).
bool accepts_chain(const ClientHello& hello, const Certificate& certificate) noexcept;

/// What a choice was made from. The TLS library's SNI callback asks it again, for the name that the
/// library has read in the same ClientHello.
class Selection {
 public:
  virtual ~Selection() = default;

  /// Whether a client that asks for `server_name` (empty: for none) is served on `context`, by what
  /// the choice was made from, whatever is current by now. Must not block.
  virtual bool confirms(std::string_view server_name, const ServerContext& context) const = 0;
};

/// What one connection is served. It is chosen once, when the ClientHello has been read, and stays
/// with the connection for life, whatever is published meanwhile.
struct Served {
  std::shared_ptr<const ServerContext> context;  ///< keeps what it was chosen from alive
  std::uint64_t generation = 0;
  NameMatch match = NameMatch::none_asked;
  const Selection* selection =
      nullptr;               ///< lives as long as `context`; nullptr where nothing else is served
  GenerationSeat seat = {};  ///< after `context`, which keeps the counts alive
};

/// Chooses what a connection is served. `select` is called from every server thread at once, must
/// not block, and is asked exactly once for a connection.
class ContextSource {
 public:
  virtual ~ContextSource() = default;

  /// A server name that is no host name ("[::1]", "host:8443") is one that no certificate is for.
  /// Errors: no_common_parameters (the client can take none of the certificates).
  virtual Result<Served> select(const ClientHello& hello) const = 0;
};

/// What a client gets that asks for a name no certificate is for.
enum class UnknownName {
  serve_default,  ///< the default certificate; most clients then refuse it with a clear message
  reject,         ///< the alert unrecognized_name (RFC 6066, section 3)
};

/// What a client gets that asks for no name.
enum class MissingName {
  serve_default,
  reject,  ///< the alert missing_extension (RFC 8446, section 9.2)
};

/// What the server side of all connections of one listener has in common.
struct ServerConfig {
  std::shared_ptr<const ContextSource> contexts;

  /// Application protocols, the preferred first. A client that offers only others is refused
  /// (RFC 7301, section 3.2); one that offers none is welcome. Empty: whatever is offered is
  /// ignored.
  std::vector<std::string> alpn = {};

  UnknownName unknown_name = UnknownName::serve_default;
  MissingName missing_name = MissingName::serve_default;

  /// Keeps what TlsEngine::channel_binding tells; costs a handshake a few microseconds.
  bool channel_binding = false;
};

}  // namespace livetls
