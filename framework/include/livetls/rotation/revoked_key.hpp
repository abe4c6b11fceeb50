#pragma once

#include <string>
#include <vector>

#include "livetls/pki/certificate.hpp"

namespace livetls {

/// A private key that is not to be served any more, as CertManager::revoke remembers it.
struct RevokedKey {
  Fingerprint key;                 ///< CertificateInfo::public_key_fingerprint
  std::vector<std::string> names;  ///< that its certificate was for

  static RevokedKey of(const Certificate& certificate);

  bool is_of(const Certificate& certificate) const;

  /// Whether tickets that were issued beside it could be used with `leaf`.
  bool shares_a_name_with(const CertificateInfo& leaf) const;

  friend bool operator==(const RevokedKey&, const RevokedKey&) = default;
};

using RevokedKeys = std::vector<RevokedKey>;

}  // namespace livetls
