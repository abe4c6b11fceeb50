#pragma once

#include <map>
#include <string>

#include "livetls/pki/certificate.hpp"
#include "livetls/tls/tls_policy.hpp"

namespace livetls {

/// What one server name is served.
struct Identity {
  Identity(Certificate c) : certificate(std::move(c)) {}

  Certificate certificate;
};

/// All that is served at one time: a plain value, made by the caller and handed to the CertManager,
/// which publishes it whole or not at all.
struct CertSet {
  /// Served to clients that ask for no name or for one that nobody here has. The DNS names in its
  /// certificate need not be listed again.
  Identity default_identity;

  /// By server name: exact ("api.example.com") or a wildcard for one label ("*.example.com"). Exact
  /// names win.
  std::map<std::string, Identity> identities = {};

  TlsPolicy policy = {};
};

}  // namespace livetls
