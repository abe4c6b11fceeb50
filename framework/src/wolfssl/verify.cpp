// Public keys of peers and of authorities, and what they have signed.

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/signature.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <vector>

#include "pki/crypto.hpp"
#include "wolfssl/objects.hpp"

namespace livetls::crypto {
namespace {

using namespace wolfssl;

using Bytes = std::span<const std::uint8_t>;

struct FreePoint {
  void operator()(ecc_point* point) const noexcept { wc_ecc_del_point(point); }
};

enum class Kind { ecdsa, rsa, rsa_pss, ed25519 };

struct Row {
  std::uint16_t scheme;
  Kind kind;
  wc_HashType hash;
  int mask = 0;  // of RSA-PSS
};

constexpr Row kRows[] = {
    {0x0403, Kind::ecdsa, WC_HASH_TYPE_SHA256},
    {0x0503, Kind::ecdsa, WC_HASH_TYPE_SHA384},
    {0x0603, Kind::ecdsa, WC_HASH_TYPE_SHA512},
    {0x0401, Kind::rsa, WC_HASH_TYPE_SHA256},
    {0x0501, Kind::rsa, WC_HASH_TYPE_SHA384},
    {0x0601, Kind::rsa, WC_HASH_TYPE_SHA512},
    {0x0804, Kind::rsa_pss, WC_HASH_TYPE_SHA256, WC_MGF1SHA256},
    {0x0805, Kind::rsa_pss, WC_HASH_TYPE_SHA384, WC_MGF1SHA384},
    {0x0806, Kind::rsa_pss, WC_HASH_TYPE_SHA512, WC_MGF1SHA512},
    {0x0807, Kind::ed25519, WC_HASH_TYPE_NONE},
};

bool fits(Kind kind, KeyType type) {
  switch (kind) {
    case Kind::ed25519: return type == KeyType::ed25519;
    case Kind::rsa:
    case Kind::rsa_pss: return type == KeyType::rsa;
    case Kind::ecdsa: return type != KeyType::rsa && type != KeyType::ed25519;
  }
  return false;
}

/// ECDSA and RSA (PKCS#1 v1.5), which wolfCrypt verifies through one function.
template <class Key>
bool verify_hashed(Key& key, wc_SignatureType type, const Row& row, Bytes message,
                   Bytes signature) {
  return wc_SignatureVerify(row.hash, type, message.data(), size32(message), signature.data(),
                            size32(signature), key.get(), sizeof(*key.get())) == 0;
}

bool verify_ecdsa(KeyType type, Bytes point, const Row& row, Bytes message, Bytes signature) {
  EccKey key;
  return key.status() == 0 && is_on_curve(type, point) &&
         wc_ecc_import_x963_ex(point.data(), size32(point), key.get(), curve_of(type).id) == 0 &&
         verify_hashed(key, WC_SIGNATURE_TYPE_ECC, row, message, signature);
}

bool verify_rsa(Bytes public_key, const Row& row, Bytes message, Bytes signature) {
  RsaKeyPair key;
  word32 index = 0;
  if (key.status() != 0 ||
      wc_RsaPublicKeyDecode(public_key.data(), &index, key.get(), size32(public_key)) != 0) {
    return false;
  }
  if (row.kind == Kind::rsa) {
    return verify_hashed(key, WC_SIGNATURE_TYPE_RSA_W_ENC, row, message, signature);
  }
  std::array<std::uint8_t, WC_MAX_DIGEST_SIZE> digest{};
  const int digest_bytes = wc_HashGetDigestSize(row.hash);
  if (digest_bytes <= 0) return false;
  const auto size = static_cast<word32>(digest_bytes);
  std::vector<std::uint8_t> encoded(signature.size());
  return wc_Hash(row.hash, message.data(), size32(message), digest.data(), size) == 0 &&
         wc_RsaPSS_VerifyCheck(const_cast<byte*>(signature.data()), size32(signature),
                               encoded.data(), size32(encoded), digest.data(), size, row.hash,
                               row.mask, key.get()) > 0;
}

bool verify_ed25519(Bytes public_key, Bytes message, Bytes signature) {
  Ed25519Key key;
  int valid = 0;
  return key.status() == 0 &&
         wc_ed25519_import_public(public_key.data(), size32(public_key), key.get()) == 0 &&
         wc_ed25519_verify_msg(signature.data(), size32(signature), message.data(), size32(message),
                               &valid, key.get()) == 0 &&
         valid == 1;
}

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

bool verify(KeyType type, Bytes key, std::uint16_t scheme, Bytes message, Bytes signature) {
  const auto* row = std::ranges::find(kRows, scheme, &Row::scheme);
  if (row == std::end(kRows) || !fits(row->kind, type)) return false;
  switch (row->kind) {
    case Kind::ecdsa: return verify_ecdsa(type, key, *row, message, signature);
    case Kind::ed25519: return verify_ed25519(key, message, signature);
    case Kind::rsa:
    case Kind::rsa_pss: return verify_rsa(key, *row, message, signature);
  }
  return false;
}

}  // namespace livetls::crypto
