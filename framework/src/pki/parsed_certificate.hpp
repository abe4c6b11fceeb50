#pragma once

#include <string>
#include <vector>

#include "livetls/base/result.hpp"
#include "livetls/pki/certificate_info.hpp"
#include "pki/certificate_extensions.hpp"
#include "pki/der.hpp"
#include "pki/distinguished_name.hpp"
#include "pki/signature_algorithms.hpp"

namespace livetls {

/// A certificate's facts, with those that only livetls itself needs. Everything that is a Span, in
/// its extensions too, is part of the DER that was parsed, and lives no longer.
struct ParsedCertificate {
  CertificateInfo info;
  der::Span der;
  int version;  ///< 1 to 3
  CanonicalName subject;
  CanonicalName issuer;
  der::Span subject_der;
  der::Span key_info;                         ///< SubjectPublicKeyInfo, as it is spelled
  der::Span key;                              ///< its subjectPublicKey
  std::vector<std::uint8_t> public_key_info;  ///< as PrivateKey::public_key_der() spells it
  der::Span serial;                           ///< the content of the INTEGER
  der::Span not_before;                       ///< whole elements
  der::Span not_after;
  CertificateExtensions extensions;

  der::Span to_be_signed;
  SignatureAlgorithm signature_algorithm;
  der::Span signature;

  bool is_self_issued() const { return subject == issuer; }
};

/// Reads X.509 (RFC 5280) with a strict reader of our own, whose answers do not change with the
/// version of the TLS library. It judges neither dates nor trust. Errors: malformed_certificate,
/// unsupported_key.
Result<ParsedCertificate> parse_certificate(der::Span certificate);

/// The same of a peer's certificate, which the TLS library reads, too. Errors: those of
/// parse_certificate; malformed_certificate also where the library cannot read it, or reads
/// something else.
Result<ParsedCertificate> parse_certificate_twice(der::Span certificate);

/// A serial number's INTEGER as CertificateInfo::serial spells it.
std::string serial_text(der::Span serial);

}  // namespace livetls
