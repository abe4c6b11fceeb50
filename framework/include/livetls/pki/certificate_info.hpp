#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "livetls/base/result.hpp"
#include "livetls/pki/server_name.hpp"

namespace livetls {

/// The kinds of key that livetls serves. The browsers' choice is ecdsa_p256.
enum class KeyType { ecdsa_p256, ecdsa_p384, ecdsa_p521, rsa, ed25519 };

std::string_view to_string(KeyType type) noexcept;

/// SHA-256 over a certificate's DER bytes.
using Fingerprint = std::array<std::uint8_t, 32>;

/// Lower-case hexadecimal, without separators.
std::string to_hex(std::span<const std::uint8_t> bytes);

/// What one X.509 certificate says, ours or a peer's. A plain value.
struct CertificateInfo {
  std::string subject;  ///< as RFC 4514 writes it, e.g. "CN=api.example.com,O=Example"
  std::string issuer;   ///< likewise
  std::string serial;   ///< lower-case hexadecimal
  std::vector<std::string> dns_names;  ///< subjectAltName dNSName, as written
  std::vector<std::string> ip_names;   ///< subjectAltName iPAddress, canonical text
  std::vector<std::string> uris;       ///< subjectAltName URI, as written: a SPIFFE ID
  std::chrono::sys_seconds not_before;
  std::chrono::sys_seconds not_after;
  KeyType key_type;
  int key_bits;
  bool is_ca;
  bool weak_signature;  ///< signed with MD2, MD5 or SHA-1
  Fingerprint fingerprint;
  Fingerprint public_key_fingerprint;  ///< SHA-256 over its SubjectPublicKeyInfo

  /// Errors: malformed_certificate, unsupported_key.
  static Result<CertificateInfo> from_der(std::span<const std::uint8_t> der);

  /// Whether the certificate was issued for `name`: subjectAltName only, never the common name
  /// (RFC 9525, section 6.3). Names in the certificate that are no valid patterns match nothing.
  bool matches(const ServerName& name) const;

  bool valid_at(std::chrono::sys_seconds time) const noexcept {
    return not_before <= time && time <= not_after;
  }
};

}  // namespace livetls
