#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "livetls/base/result.hpp"
#include "livetls/pki/certificate_info.hpp"
#include "pki/der.hpp"

namespace livetls {

/// The name constraints of a CA (RFC 5280, section 4.2.1.10). Names of other types than DNS names
/// and IP addresses, and distances, are not enforced: they are only noted.
struct NameConstraints {
  struct Names {
    std::vector<std::string> dns;               ///< as they are written
    std::vector<std::vector<std::uint8_t>> ip;  ///< address and mask
  };

  Names permitted;
  Names excluded;
  bool has_others = false;
};

/// A certificate's facts, with those that only livetls itself needs.
struct ParsedCertificate {
  CertificateInfo info;
  std::vector<std::uint8_t> subject;                    ///< the Name, DER
  std::vector<std::uint8_t> issuer;                     ///< the Name, DER
  std::vector<std::vector<std::uint8_t>> ip_addresses;  ///< info.ip_names, as bytes
  NameConstraints name_constraints;
  bool may_issue;                             ///< it is a CA, and its key may sign certificates
  std::optional<int> path_length;             ///< how many intermediates may be below it
  std::vector<std::uint8_t> public_key_info;  ///< as PrivateKey::public_key_der() spells it
  std::uint16_t signature_scheme;             ///< SignatureAlgorithm::scheme
};

/// Reads X.509 (RFC 5280) with a strict reader of our own, whose answers do not change with the
/// version of the TLS library, and then has the TLS library read it too, so that nothing gets
/// through that it could not use. Errors: malformed_certificate, unsupported_key.
Result<ParsedCertificate> parse_certificate(der::Span certificate);

/// A serial number's INTEGER as CertificateInfo::serial spells it.
std::string serial_text(der::Span serial);

}  // namespace livetls
