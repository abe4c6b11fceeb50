#include "pki/crypto.hpp"

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/asn.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/hmac.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/rsa.h>
#include <wolfssl/wolfcrypt/sha256.h>
#include <wolfssl/wolfcrypt/signature.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string_view>

#include "pki/der.hpp"
#include "wolfssl/key_scope.hpp"
#include "wolfssl/wolfssl.hpp"

namespace livetls::crypto {
namespace {

using wolfssl::ensure_initialized;
using wolfssl::KeyScope;

using Bytes = std::span<const std::uint8_t>;

constexpr int kRsaBits = 2048;

/// A wolfCrypt object from its init function to its free function. Not every release wipes all that
/// is secret in it there. `status()` is what init answered: 0, or the reason for which the object
/// cannot be used.
template <class T, auto Init, auto Free>
class Owned {
 public:
  Owned() : status_((ensure_initialized(), Init(&object_))) {}
  ~Owned() {
    if (status_ == 0) Free(&object_);
    wipe(&object_, sizeof object_);
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;

  int status() const noexcept { return status_; }
  T* get() noexcept { return &object_; }

 private:
  T object_{};
  int status_;
};

int init_rsa(RsaKey* key) { return wc_InitRsaKey(key, nullptr); }

int init_aes(Aes* aes) { return wc_AesInit(aes, nullptr, INVALID_DEVID); }

using AesCipher = Owned<Aes, init_aes, wc_AesFree>;
using Rng = Owned<WC_RNG, wc_InitRng, wc_FreeRng>;
using EccKey = Owned<ecc_key, wc_ecc_init, wc_ecc_free>;
using RsaKeyPair = Owned<RsaKey, init_rsa, wc_FreeRsaKey>;
using Ed25519Key = Owned<ed25519_key, wc_ed25519_init, wc_ed25519_free>;

Error failed(Errc reason, int status) {
  return {reason, std::string("wolfSSL: ") + wc_GetErrorString(status)};
}

word32 size32(Bytes bytes) { return static_cast<word32>(bytes.size()); }

struct Curve {
  int id;
  word32 field_bytes;
  wc_HashType hash;
};

Curve curve_of(KeyType type) {
  switch (type) {
    case KeyType::ecdsa_p384: return {ECC_SECP384R1, 48, WC_HASH_TYPE_SHA384};
    case KeyType::ecdsa_p521: return {ECC_SECP521R1, 66, WC_HASH_TYPE_SHA512};
    default: return {ECC_SECP256R1, 32, WC_HASH_TYPE_SHA256};
  }
}

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

namespace {

/// The library keeps an ECDSA key with all of its SubjectPublicKeyInfo, others alone.
bool has_key(const DecodedCert& theirs, const CertificateReading& ours) {
  if (theirs.publicKey == nullptr) return false;
  const Bytes stored(theirs.publicKey, theirs.pubKeySize);
  return std::ranges::equal(stored, ours.key) || std::ranges::equal(stored, ours.key_info);
}

bool has_serial(const DecodedCert& theirs, Bytes serial) {
  const Bytes read(theirs.serial, static_cast<std::size_t>(theirs.serialSz));
  return std::ranges::equal(der::without_leading_zeros(read), der::without_leading_zeros(serial));
}

/// The names of one type, in whatever order.
bool has_names(const DecodedCert& theirs, int type, const std::vector<Bytes>& names) {
  std::vector<std::string_view> read;
  for (const DNS_entry* entry = theirs.altNames; entry != nullptr; entry = entry->next) {
    if (entry->type == type) read.emplace_back(entry->name, static_cast<std::size_t>(entry->len));
  }
  std::vector<std::string_view> expected;
  for (const Bytes name : names) {
    expected.emplace_back(reinterpret_cast<const char*>(name.data()), name.size());
  }
  std::ranges::sort(read);
  std::ranges::sort(expected);
  return read == expected;
}

/// What the two readings differ in; nullptr where they agree.
const char* difference(const DecodedCert& theirs, const CertificateReading& ours) {
  if (!has_key(theirs, ours)) return "the public key";
  if (!has_serial(theirs, ours.serial)) return "the serial number";
  if (theirs.beforeDate != ours.not_before.data() || theirs.afterDate != ours.not_after.data()) {
    return "the validity";
  }
  if (!has_names(theirs, ASN_DNS_TYPE, ours.dns_names)) return "the DNS names";
  if (!has_names(theirs, ASN_IP_TYPE, ours.ip_names)) return "the IP addresses";
  if ((theirs.isCA != 0) != ours.is_ca) return "whether it is a CA";
  return nullptr;
}

struct FreePoint {
  void operator()(ecc_point* point) const noexcept { wc_ecc_del_point(point); }
};

}  // namespace

bool is_on_curve(KeyType type, Bytes point) {
  constexpr std::uint8_t kUncompressed = 0x04;
  const Curve curve = curve_of(type);
  if (point.size() != 1 + 2 * curve.field_bytes || point.front() != kUncompressed) return false;
  const int index = wc_ecc_get_curve_idx(curve.id);
  const std::unique_ptr<ecc_point, FreePoint> parsed(wc_ecc_new_point());
  if (!parsed) throw std::bad_alloc();
  return wc_ecc_import_point_der(point.data(), size32(point), index, parsed.get()) == 0 &&
         wc_ecc_point_is_on_curve(parsed.get(), index) == 0;
}

namespace {

/// As the library has read it, for as long as its bytes are there.
struct ReadCertificate {
  explicit ReadCertificate(Bytes der) {
    wc_InitDecodedCert(&decoded, der.data(), size32(der), nullptr);
    status = wc_ParseCert(&decoded, CERT_TYPE, NO_VERIFY, nullptr);
  }
  ReadCertificate(const ReadCertificate&) = delete;
  ReadCertificate& operator=(const ReadCertificate&) = delete;
  ~ReadCertificate() { wc_FreeDecodedCert(&decoded); }

  DecodedCert decoded{};
  int status;
};

/// What a certificate's signature was computed from, and the signature.
struct Signed {
  explicit Signed(const DecodedCert& one)
      : body(one.source + one.certBegin, one.sigIndex - one.certBegin),
        signature(one.signature, one.sigLength) {}

  Bytes body;
  Bytes signature;
};

/// ECDSA and RSA, which wolfCrypt verifies through one function.
template <class Key>
bool verify_hashed(Key& key, wc_HashType hash, wc_SignatureType type, const Signed& one) {
  return wc_SignatureVerify(hash, type, one.body.data(), size32(one.body), one.signature.data(),
                            size32(one.signature), key.get(), sizeof(*key.get())) == 0;
}

bool verify_ecdsa(wc_HashType hash, const Signed& one, const DecodedCert& issuer) {
  EccKey key;
  word32 index = 0;
  return key.status() == 0 && issuer.keyOID == ECDSAk &&
         wc_EccPublicKeyDecode(issuer.publicKey, &index, key.get(), issuer.pubKeySize) == 0 &&
         verify_hashed(key, hash, WC_SIGNATURE_TYPE_ECC, one);
}

bool verify_rsa(wc_HashType hash, const Signed& one, const DecodedCert& issuer) {
  RsaKeyPair key;
  word32 index = 0;
  return key.status() == 0 && issuer.keyOID == RSAk &&
         wc_RsaPublicKeyDecode(issuer.publicKey, &index, key.get(), issuer.pubKeySize) == 0 &&
         verify_hashed(key, hash, WC_SIGNATURE_TYPE_RSA_W_ENC, one);
}

bool verify_ed25519(const Signed& one, const DecodedCert& issuer) {
  Ed25519Key key;
  int valid = 0;
  return key.status() == 0 && issuer.keyOID == ED25519k &&
         wc_ed25519_import_public(issuer.publicKey, issuer.pubKeySize, key.get()) == 0 &&
         wc_ed25519_verify_msg(one.signature.data(), size32(one.signature), one.body.data(),
                               size32(one.body), &valid, key.get()) == 0 &&
         valid == 1;
}

/// RSA-PSS, whose parameters the library reads itself.
bool verify_by_library(Bytes certificate, Bytes issuer) {
  using X509 = std::unique_ptr<WOLFSSL_X509, wolfssl::Deleter<wolfSSL_X509_free>>;
  using Key = std::unique_ptr<WOLFSSL_EVP_PKEY, wolfssl::Deleter<wolfSSL_EVP_PKEY_free>>;
  const auto read = [](Bytes der) {
    const unsigned char* begin = der.data();
    return X509(wolfSSL_d2i_X509(nullptr, &begin, static_cast<int>(der.size())));
  };
  const X509 one = read(certificate), signer = read(issuer);
  const Key key(signer ? wolfSSL_X509_get_pubkey(signer.get()) : nullptr);
  const bool valid = one && key && wolfSSL_X509_verify(one.get(), key.get()) == WOLFSSL_SUCCESS;
  if (!valid) wolfSSL_ERR_clear_error();
  return valid;
}

}  // namespace

bool is_signed_by(Bytes certificate, Bytes issuer) {
  ensure_initialized();
  const ReadCertificate read(certificate), signer(issuer);
  if (read.status != 0 || signer.status != 0) return false;
  const Signed one(read.decoded);
  switch (read.decoded.signatureOID) {
    case CTC_SHA256wECDSA: return verify_ecdsa(WC_HASH_TYPE_SHA256, one, signer.decoded);
    case CTC_SHA384wECDSA: return verify_ecdsa(WC_HASH_TYPE_SHA384, one, signer.decoded);
    case CTC_SHA512wECDSA: return verify_ecdsa(WC_HASH_TYPE_SHA512, one, signer.decoded);
    case CTC_SHA256wRSA: return verify_rsa(WC_HASH_TYPE_SHA256, one, signer.decoded);
    case CTC_SHA384wRSA: return verify_rsa(WC_HASH_TYPE_SHA384, one, signer.decoded);
    case CTC_SHA512wRSA: return verify_rsa(WC_HASH_TYPE_SHA512, one, signer.decoded);
    case CTC_ED25519: return verify_ed25519(one, signer.decoded);
    case CTC_SHAwRSA:
    case CTC_SHAwECDSA:
    case CTC_MD5wRSA: return false;  // these prove nothing any more
    default: return verify_by_library(certificate, issuer);
  }
}

Result<void> check_certificate(Bytes der, const CertificateReading& ours) {
  ensure_initialized();
  const ReadCertificate theirs(der);
  if (theirs.status != 0) return failed(Errc::malformed_certificate, theirs.status);
  if (const char* differs = difference(theirs.decoded, ours)) {
    return Error{Errc::malformed_certificate,
                 std::string("it can be read in two ways: ") + differs};
  }
  const bool is_point = ours.key_type != KeyType::rsa && ours.key_type != KeyType::ed25519;
  if (is_point && !is_on_curve(ours.key_type, ours.key)) {
    return Error{Errc::malformed_certificate, "its public key is not a point on its curve"};
  }
  return {};
}

}  // namespace livetls::crypto
