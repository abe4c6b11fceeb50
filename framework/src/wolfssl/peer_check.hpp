#pragma once

#include <optional>

#include "livetls/base/error.hpp"
#include "livetls/pki/server_name.hpp"
#include "livetls/pki/trust_bundle.hpp"
#include "pki/certificate_path.hpp"
#include "wolfssl/wolfssl.hpp"

namespace livetls::wolfssl {

/// What the verify callback is told and tells about the peer's certificate.
struct PeerCheck {
  std::optional<ServerName> expected_name;  // client
  const TrustBundle* roots = nullptr;       // nullptr: take anything
  bool accepted = false;
  Error refusal;
  CertificateChain chain;     // as it was sent
  CertificateChain verified;  // to a root

  bool skip() const { return roots == nullptr; }
  void judge();
};

/// Called for every certificate of the peer's chain, the leaf last.
int verify_callback(int verified, WOLFSSL_X509_STORE_CTX* store) noexcept;

}  // namespace livetls::wolfssl
