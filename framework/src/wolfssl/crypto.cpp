#include "pki/crypto.hpp"

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/hmac.h>
#include <wolfssl/wolfcrypt/sha256.h>
#include <wolfssl/wolfcrypt/signature.h>

#include <stdexcept>

#include "wolfssl/key_scope.hpp"
#include "wolfssl/objects.hpp"

namespace livetls::crypto {
namespace {

using namespace wolfssl;

using Bytes = std::span<const std::uint8_t>;

constexpr int kRsaBits = 2048;

Result<SecretBytes> generate_ecc(const Curve& curve) {
  Rng rng;
  EccKey key;
  SecretBytes scalar(curve.field_bytes);
  word32 size = curve.field_bytes;
  int status = rng.status() != 0 ? rng.status() : key.status();
  if (status == 0) {
    const int bytes = static_cast<int>(curve.field_bytes);
    status = wc_ecc_make_key_ex(rng.get(), bytes, key.get(), curve.id);
  }
  if (status == 0) status = wc_ecc_export_private_only(key.get(), scalar.data(), &size);
  if (status != 0) return failed(Errc::key_generation_failed, status);
  return scalar;
}

Result<SecretBytes> generate_ed25519() {
  Rng rng;
  Ed25519Key key;
  SecretBytes seed(ED25519_KEY_SIZE);
  word32 size = ED25519_KEY_SIZE;
  int status = rng.status() != 0 ? rng.status() : key.status();
  if (status == 0) status = wc_ed25519_make_key(rng.get(), ED25519_KEY_SIZE, key.get());
  if (status == 0) status = wc_ed25519_export_private_only(key.get(), seed.data(), &size);
  if (status != 0) return failed(Errc::key_generation_failed, status);
  return seed;
}

Result<SecretBytes> generate_rsa() {
  Rng rng;
  RsaKeyPair key;
  int status = rng.status() != 0 ? rng.status() : key.status();
  if (status == 0) status = wc_MakeRsaKey(key.get(), kRsaBits, WC_RSA_EXPONENT, rng.get());
  if (status != 0) return failed(Errc::key_generation_failed, status);

  SecretBytes der(kRsaBits);  // the encoding takes some 1200 bytes
  const int size = wc_RsaKeyToDer(key.get(), der.data(), size32(der));
  if (size < 0) return failed(Errc::key_generation_failed, size);
  der.resize(static_cast<std::size_t>(size));
  return der;
}

Result<std::vector<std::uint8_t>> derive_ecc(const Curve& curve, Bytes scalar) {
  Rng rng;
  EccKey key;
  std::vector<std::uint8_t> point(1 + 2 * curve.field_bytes);
  word32 size = size32(point);
  int status = rng.status() != 0 ? rng.status() : key.status();
  if (status == 0) {
    status = wc_ecc_import_private_key_ex(scalar.data(), size32(scalar), nullptr, 0, key.get(),
                                          curve.id);
  }
  if (status == 0) status = wc_ecc_make_pub_ex(key.get(), nullptr, rng.get());
  if (status == 0) status = wc_ecc_export_x963(key.get(), point.data(), &size);
  if (status != 0) return failed(Errc::malformed_private_key, status);
  return point;
}

Result<std::vector<std::uint8_t>> derive_ed25519(Bytes seed) {
  Ed25519Key key;
  std::vector<std::uint8_t> point(ED25519_PUB_KEY_SIZE);
  int status = key.status();
  if (status == 0) {
    status = wc_ed25519_import_private_only(seed.data(), size32(seed), key.get());
  }
  if (status == 0) status = wc_ed25519_make_public(key.get(), point.data(), size32(point));
  if (status != 0) return failed(Errc::malformed_private_key, status);
  return point;
}

/// ECDSA and RSA, which wolfCrypt signs with through one function.
template <class Key>
Result<std::vector<std::uint8_t>> sign_hashed(Key& key, int decoded, wc_HashType hash,
                                              wc_SignatureType type, Bytes message) {
  Rng rng;
  int status = rng.status() != 0 ? rng.status() : decoded;
  if (status != 0) return failed(Errc::key_generation_failed, status);

  const int capacity = wc_SignatureGetSize(type, key.get(), sizeof(*key.get()));
  if (capacity < 0) return failed(Errc::key_generation_failed, capacity);
  std::vector<std::uint8_t> signature(static_cast<std::size_t>(capacity));
  word32 size = size32(signature);
  status = wc_SignatureGenerate(hash, type, message.data(), size32(message), signature.data(),
                                &size, key.get(), sizeof(*key.get()), rng.get());
  if (status != 0) return failed(Errc::key_generation_failed, status);
  signature.resize(size);
  return signature;
}

Result<std::vector<std::uint8_t>> sign_ecc(KeyType type, Bytes key_der, Bytes message) {
  EccKey key;
  word32 index = 0;
  int status = key.status();
  if (status == 0) {
    status = wc_EccPrivateKeyDecode(key_der.data(), &index, key.get(), size32(key_der));
  }
  return sign_hashed(key, status, curve_of(type).hash, WC_SIGNATURE_TYPE_ECC, message);
}

Result<std::vector<std::uint8_t>> sign_rsa(Bytes key_der, Bytes message) {
  RsaKeyPair key;
  word32 index = 0;
  int status = key.status();
  if (status == 0) {
    status = wc_RsaPrivateKeyDecode(key_der.data(), &index, key.get(), size32(key_der));
  }
  return sign_hashed(key, status, WC_HASH_TYPE_SHA256, WC_SIGNATURE_TYPE_RSA_W_ENC, message);
}

Result<std::vector<std::uint8_t>> sign_ed25519(Bytes key_der, Bytes message) {
  Ed25519Key key;
  std::array<std::uint8_t, ED25519_PUB_KEY_SIZE> point{};
  std::vector<std::uint8_t> signature(ED25519_SIG_SIZE);
  word32 index = 0;
  word32 size = ED25519_SIG_SIZE;
  int status = key.status();
  if (status == 0) {
    status = wc_Ed25519PrivateKeyDecode(key_der.data(), &index, key.get(), size32(key_der));
  }
  if (status == 0) status = wc_ed25519_make_public(key.get(), point.data(), size32(point));
  if (status == 0) status = wc_ed25519_import_public(point.data(), size32(point), key.get());
  if (status == 0) {
    status =
        wc_ed25519_sign_msg(message.data(), size32(message), signature.data(), &size, key.get());
  }
  if (status != 0) return failed(Errc::key_generation_failed, status);
  return signature;
}

}  // namespace

std::array<std::uint8_t, 32> sha256(Bytes data) {
  std::array<std::uint8_t, 32> digest{};
  if (wc_Sha256Hash(data.data(), size32(data), digest.data()) != 0) {
    throw std::runtime_error("wolfSSL could not compute a SHA-256 digest");
  }
  return digest;
}

Result<SecretBytes> generate_secret(KeyType type) {
  const KeyScope scope;
  if (type == KeyType::rsa) return generate_rsa();
  if (type == KeyType::ed25519) return generate_ed25519();
  return generate_ecc(curve_of(type));
}

Result<std::vector<std::uint8_t>> derive_public_key(KeyType type, Bytes secret) {
  const KeyScope scope;
  if (type == KeyType::ed25519) return derive_ed25519(secret);
  return derive_ecc(curve_of(type), secret);
}

Result<std::vector<std::uint8_t>> sign(KeyType type, Bytes key_der, Bytes message) {
  const KeyScope scope;
  if (type == KeyType::rsa) return sign_rsa(key_der, message);
  if (type == KeyType::ed25519) return sign_ed25519(key_der, message);
  return sign_ecc(type, key_der, message);
}

Result<SecretBytes> hkdf_sha256(Bytes secret, Bytes info, std::size_t bytes) {
  SecretBytes key(bytes);
  const int status = wc_HKDF(WC_SHA256, secret.data(), size32(secret), nullptr, 0, info.data(),
                             size32(info), key.data(), size32(key));
  if (status != 0) return failed(Errc::tls_failure, status);
  return key;
}

Result<void> aes_gcm_seal(Bytes key, Bytes nonce, Bytes associated, std::span<std::uint8_t> data,
                          std::span<std::uint8_t> tag) {
  AesCipher aes;
  int status = aes.status();
  if (status == 0) status = wc_AesGcmSetKey(aes.get(), key.data(), size32(key));
  if (status == 0) {
    status = wc_AesGcmEncrypt(aes.get(), data.data(), data.data(), size32(data), nonce.data(),
                              size32(nonce), tag.data(), size32(tag), associated.data(),
                              size32(associated));
  }
  if (status != 0) return failed(Errc::tls_failure, status);
  return {};
}

Result<void> aes_gcm_open(Bytes key, Bytes nonce, Bytes associated, std::span<std::uint8_t> data,
                          Bytes tag) {
  AesCipher aes;
  int status = aes.status();
  if (status == 0) status = wc_AesGcmSetKey(aes.get(), key.data(), size32(key));
  if (status == 0) {
    status = wc_AesGcmDecrypt(aes.get(), data.data(), data.data(), size32(data), nonce.data(),
                              size32(nonce), tag.data(), size32(tag), associated.data(),
                              size32(associated));
  }
  if (status != 0) return failed(Errc::tls_failure, status);
  return {};
}

}  // namespace livetls::crypto
