#pragma once

// What livetls needs of cryptography by itself: hashing, keys, signatures, and sealing. What is
// declared here is implemented in src/wolfssl/.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "livetls/base/result.hpp"
#include "livetls/base/secret_bytes.hpp"
#include "livetls/pki/certificate_info.hpp"

namespace livetls {
struct ParsedCertificate;
}

namespace livetls::crypto {

/// Throws std::runtime_error where the library cannot hash.
std::array<std::uint8_t, 32> sha256(std::span<const std::uint8_t> data);

/// A fresh secret: the scalar for ECDSA, PKCS#1 for RSA (2048 bits), the seed for Ed25519.
/// Errors: key_generation_failed.
Result<SecretBytes> generate_secret(KeyType type);

/// The public point of an ECDSA scalar (uncompressed), or the public key of an Ed25519 seed.
/// Errors: malformed_private_key. Not for RSA, whose secret holds its public half.
Result<std::vector<std::uint8_t>> derive_public_key(KeyType type,
                                                    std::span<const std::uint8_t> secret);

/// Signs with a key as PrivateKey::der() gives it, and verifies what was signed: ECDSA with the
/// hash that fits the curve, RSA (PKCS#1 v1.5) with SHA-256, Ed25519. Errors:
/// key_generation_failed.
Result<std::vector<std::uint8_t>> sign(KeyType type, std::span<const std::uint8_t> key_der,
                                       std::span<const std::uint8_t> message);

/// RFC 5869, without salt. Errors: tls_failure.
Result<SecretBytes> hkdf_sha256(std::span<const std::uint8_t> secret,
                                std::span<const std::uint8_t> info, std::size_t bytes);

/// AES-256-GCM in place. Errors: tls_failure; of open also for what was not sealed like this.
Result<void> aes_gcm_seal(std::span<const std::uint8_t> key, std::span<const std::uint8_t> nonce,
                          std::span<const std::uint8_t> associated, std::span<std::uint8_t> data,
                          std::span<std::uint8_t> tag);
Result<void> aes_gcm_open(std::span<const std::uint8_t> key, std::span<const std::uint8_t> nonce,
                          std::span<const std::uint8_t> associated, std::span<std::uint8_t> data,
                          std::span<const std::uint8_t> tag);

/// Whether these are the coordinates, uncompressed, of a point of the curve other than the one at
/// infinity (RFC 8446, section 4.2.8.2). Not for RSA and Ed25519.
bool is_on_curve(KeyType curve, std::span<const std::uint8_t> point);

/// Whether `signature` is that of `message` by a public key: the point, the RSAPublicKey or the
/// Ed25519 key, as certificates carry it. `scheme` is TLS's code (RFC 8446, section 4.2.3); false
/// for those of SHA-1 and all that are not known, for a scheme that is not of the key's type, and
/// for a point that is not on its curve.
bool verify(KeyType type, std::span<const std::uint8_t> key, std::uint16_t scheme,
            std::span<const std::uint8_t> message, std::span<const std::uint8_t> signature);

enum class IfUnreadable { refuse, accept };

/// Whether the TLS library can read this certificate, and reads the same: what one reader verifies,
/// another must not take for something else. It does not judge dates or trust. What is only served
/// need not be readable: the library sends it as it is. Errors: malformed_certificate, with the
/// reason.
Result<void> check_certificate(const ParsedCertificate& ours, IfUnreadable unreadable);

}  // namespace livetls::crypto
