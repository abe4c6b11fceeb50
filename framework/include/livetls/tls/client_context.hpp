#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "livetls/base/result.hpp"
#include "livetls/pki/certificate.hpp"
#include "livetls/pki/trust_bundle.hpp"
#include "livetls/tls/tls_policy.hpp"

namespace livetls {

/// How connections are made. The defaults verify the server.
struct ClientOptions {
  /// The roots that servers are verified against; the operating system's when empty.
  std::optional<TrustBundle> roots = {};

  TlsPolicy policy = {};

  /// Presented to servers that ask for one.
  std::optional<Certificate> certificate = {};

  /// Application protocols to offer, the preferred first.
  std::vector<std::string> alpn = {};

  /// Accepts any certificate. For tests and for finding out what a server serves; the connection
  /// is open to whoever sits between.
  bool insecure_skip_verify = false;

  /// Keeps what TlsEngine::channel_binding tells.
  bool channel_binding = false;
};

/// ClientOptions made ready to use, to share between many connections. Immutable; safe from any
/// thread.
class ClientContext {
 public:
  /// Errors: file_unreadable where the system keeps no roots; certificate_unusable; tls_failure.
  static Result<std::shared_ptr<const ClientContext>> create(ClientOptions options);
  ~ClientContext();

  const ClientOptions& options() const noexcept { return options_; }

  struct State;  // the TLS library's side, defined in src/wolfssl/context.hpp
  const State& state() const noexcept { return *state_; }

 private:
  ClientContext(ClientOptions options, std::unique_ptr<State> state);

  ClientOptions options_;
  std::unique_ptr<State> state_;
};

}  // namespace livetls
