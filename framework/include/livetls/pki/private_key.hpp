#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "livetls/base/result.hpp"
#include "livetls/base/secret_bytes.hpp"
#include "livetls/pki/certificate_info.hpp"

namespace livetls {

/// A parsed private key. Its bytes are wiped when the object goes; it moves and does not copy.
class PrivateKey {
 public:
  /// Reads PKCS#8, PKCS#1 or SEC1, whatever the PEM label claims.
  /// Errors: input_empty, pem_torn, no_private_key, encrypted_private_key, malformed_private_key,
  /// unsupported_key, certificate_and_key_swapped (there is a certificate where the key belongs).
  static Result<PrivateKey> from_pem(std::string_view pem);
  static Result<PrivateKey> from_der(std::span<const std::uint8_t> der);

  /// RSA keys are made with 2048 bits. Errors: key_generation_failed.
  static Result<PrivateKey> generate(KeyType type);

  PrivateKey(PrivateKey&&) noexcept = default;
  PrivateKey& operator=(PrivateKey&&) noexcept = default;

  KeyType type() const noexcept { return type_; }

  /// The DER bytes as the TLS library takes them (SEC1 for ECDSA, PKCS#1 for RSA, PKCS#8 for
  /// Ed25519).
  std::span<const std::uint8_t> der() const noexcept { return der_; }

  /// The public half, as DER SubjectPublicKeyInfo: equal for a key and the certificate it fits.
  std::span<const std::uint8_t> public_key_der() const noexcept { return public_key_der_; }

  /// Unencrypted PKCS#8 PEM, for writing to a file that only its owner can read.
  SecretBytes to_pem() const;

 private:
  PrivateKey(KeyType type, SecretBytes der, std::vector<std::uint8_t> public_key_der)
      : type_(type), der_(std::move(der)), public_key_der_(std::move(public_key_der)) {}

  KeyType type_;
  SecretBytes der_;
  std::vector<std::uint8_t> public_key_der_;
};

}  // namespace livetls
