#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "livetls/base/result.hpp"
#include "livetls/pki/certificate_info.hpp"
#include "pki/der.hpp"

namespace livetls {

/// The name constraints of a CA (RFC 5280, section 4.2.1.10), by how far the TLS library enforces
/// them.
enum class NameConstraints {
  none,
  of_enforced_types,  ///< DNS names, e-mail addresses and directory names only
  others,             ///< also others, or with distances
};

/// A certificate's facts, with those that only livetls itself needs.
struct ParsedCertificate {
  CertificateInfo info;
  std::vector<std::uint8_t> subject;           ///< the Name, DER
  std::vector<std::uint8_t> issuer;            ///< the Name, DER
  std::vector<std::uint8_t> subject_key_id;    ///< empty where there is none
  std::vector<std::uint8_t> authority_key_id;  ///< empty where there is none
  NameConstraints name_constraints;
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
