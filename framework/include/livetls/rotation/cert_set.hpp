#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "livetls/pki/certificate.hpp"
#include "livetls/pki/trust_bundle.hpp"
#include "livetls/tls/client_auth.hpp"
#include "livetls/tls/tls_policy.hpp"

namespace livetls {

/// What one server name is served.
struct Identity {
  Identity(Certificate certificate) : certificates{std::move(certificate)} {}
  Identity(std::vector<Certificate> list) : certificates(std::move(list)) {}

  /// One, or one of each kind of key: a client gets the first that it can take, ECDSA before
  /// Ed25519 before RSA, whatever their order here.
  std::vector<Certificate> certificates;

  ClientAuth client_auth = ClientAuth::none;

  /// Application protocols, the preferred first; the listener's when empty.
  std::vector<std::string> alpn = {};

  /// Fluent, for designated initialisers: `.default_identity =
  /// Identity(c).with(ClientAuth::request)`
  Identity with(ClientAuth mode) && {
    client_auth = mode;
    return std::move(*this);
  }
  Identity with_alpn(std::vector<std::string> protocols) && {
    alpn = std::move(protocols);
    return std::move(*this);
  }

  bool has(const Certificate& certificate) const noexcept {
    return std::ranges::count(certificates, certificate) > 0;
  }

  friend bool operator==(const Identity&, const Identity&) = default;
};

/// All that is served at one time: a plain value, made by the caller and handed to the CertManager,
/// which publishes it whole or not at all.
struct CertSet {
  /// Served to clients that ask for no name or for one that nobody here has. The DNS names in its
  /// certificates need not be listed again. It must not ask less of clients than a named identity.
  Identity default_identity;

  /// By server name: exact ("api.example.com") or a wildcard for one label ("*.example.com"). Exact
  /// names win. "default" is none.
  std::map<std::string, Identity> identities = {};

  /// Whom clients' certificates are verified against, where an identity verifies them.
  std::optional<TrustBundle> client_roots = {};

  TlsPolicy policy = {};
};

}  // namespace livetls
