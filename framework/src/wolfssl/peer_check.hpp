#pragma once

#include <boost/system/error_code.hpp>
#include <cstdint>
#include <optional>
#include <vector>

#include "livetls/pki/server_name.hpp"
#include "livetls/pki/trust_bundle.hpp"
#include "wolfssl/wolfssl.hpp"

namespace livetls::wolfssl {

/// What the verify callback is told and tells about the peer's certificate.
struct PeerCheck {
  std::optional<ServerName> expected_name;  // client
  const TrustBundle* roots = nullptr;       // nullptr: take anything
  bool accepted = false;
  boost::system::error_code refusal = {};        // ours, of what the library had accepted
  std::vector<std::vector<std::uint8_t>> chain;  // the leaf first

  bool skip() const { return roots == nullptr; }
  boost::system::error_code judge() const;
};

/// Called for every certificate of a server's chain, after the library has verified it.
int verify_callback(int verified, WOLFSSL_X509_STORE_CTX* store) noexcept;

}  // namespace livetls::wolfssl
