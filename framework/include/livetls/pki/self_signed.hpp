#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "livetls/base/result.hpp"
#include "livetls/pki/certificate.hpp"

namespace livetls {

/// What a certificate made here says about its holder.
struct CertificateRequest {
  /// The subject's organisation; the common name is the first of `names`.
  std::string organization = "livetls";

  /// DNS names and IP addresses.
  std::vector<std::string> names = {"localhost", "127.0.0.1", "::1"};

  /// From now on. Validity begins five minutes earlier, for clocks that are behind.
  std::chrono::seconds lifetime = std::chrono::days{30};

  /// Browsers accept ecdsa_p256, ecdsa_p384 and rsa.
  KeyType key_type = KeyType::ecdsa_p256;

  /// The moment that counts as now; the system's clock when empty.
  std::optional<std::chrono::sys_seconds> now = {};
};

/// A certificate that vouches for itself, for development and tests: usable as server and as
/// client. Safe from any thread; takes well under a millisecond, RSA some hundred.
/// Errors: invalid_server_name, key_generation_failed.
Result<Certificate> self_signed(const CertificateRequest& request = {});

}  // namespace livetls
