#pragma once

#include <cstdint>
#include <vector>

#include "livetls/base/result.hpp"
#include "livetls/pki/certificate_info.hpp"
#include "pki/der.hpp"

namespace livetls {

/// A public key as certificates carry it.
struct PublicKey {
  KeyType type;
  int bits;
  std::vector<std::uint8_t> info;  ///< SubjectPublicKeyInfo in the one spelling that is compared
  der::Span key;                   ///< its subjectPublicKey, in the bytes that were read
};

/// Reads a SubjectPublicKeyInfo. Errors: malformed_certificate, unsupported_key.
Result<PublicKey> parse_public_key_info(der::Span info);

/// Writes one: `key` is the curve point, the RSAPublicKey, or the Ed25519 public key.
std::vector<std::uint8_t> encode_public_key_info(KeyType type, der::Span key);

/// What stands for a type in SubjectPublicKeyInfo and PKCS#8.
SecretBytes encode_key_algorithm(KeyType type);

/// Reads the same, to its end. Errors: unsupported_key. The reader may fail, too.
Result<KeyType> parse_key_algorithm(der::Reader algorithm);

/// A named curve, by its object identifier. Errors: unsupported_key.
Result<KeyType> parse_curve(der::Span object_id);

/// Bytes in a private scalar, and in each coordinate of a public point, or in an Ed25519 key.
std::size_t field_bytes(KeyType type) noexcept;

/// The size of an RSA modulus. Errors: unsupported_key for sizes that are not served.
Result<int> rsa_bits(der::Span modulus);

}  // namespace livetls
