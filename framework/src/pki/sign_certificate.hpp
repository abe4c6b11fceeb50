#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "livetls/base/result.hpp"
#include "livetls/pki/private_key.hpp"
#include "pki/der.hpp"

namespace livetls {

struct ValidityPeriod {
  std::chrono::sys_seconds not_before;
  std::chrono::sys_seconds not_after;

  /// From five minutes before `now` until `lifetime` after it, within what X.509 can say.
  static ValidityPeriod starting(std::chrono::sys_seconds now, std::chrono::seconds lifetime);
};

/// What a new certificate shall say. The spans must stay valid while it is signed.
struct CertificateDraft {
  der::Span issuer;   ///< DER Name
  der::Span subject;  ///< DER Name
  ValidityPeriod validity;
  KeyType key_type;
  der::Span public_key_info;
  bool is_ca = false;
  std::vector<std::string> names = {};  ///< canonical, as NamePattern::text() spells them
};

/// The certificate that `authority_key` makes of a draft: X.509 version 3 with a random serial.
/// Errors: key_generation_failed.
Result<std::vector<std::uint8_t>> sign_certificate(const CertificateDraft& draft,
                                                   const PrivateKey& authority_key);

}  // namespace livetls
