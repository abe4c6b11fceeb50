#pragma once

// wolfCrypt's objects, as livetls holds them.

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/rsa.h>

#include <cstdint>
#include <span>
#include <string>

#include "livetls/base/error.hpp"
#include "livetls/base/secret_bytes.hpp"
#include "livetls/pki/certificate_info.hpp"
#include "wolfssl/wolfssl.hpp"

namespace livetls::wolfssl {

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

inline int init_rsa(RsaKey* key) { return wc_InitRsaKey(key, nullptr); }
inline int init_aes(Aes* aes) { return wc_AesInit(aes, nullptr, INVALID_DEVID); }

using AesCipher = Owned<Aes, init_aes, wc_AesFree>;
using Rng = Owned<WC_RNG, wc_InitRng, wc_FreeRng>;
using EccKey = Owned<ecc_key, wc_ecc_init, wc_ecc_free>;
using RsaKeyPair = Owned<RsaKey, init_rsa, wc_FreeRsaKey>;
using Ed25519Key = Owned<ed25519_key, wc_ed25519_init, wc_ed25519_free>;

struct Curve {
  int id;
  word32 field_bytes;
  wc_HashType hash;
};

inline Curve curve_of(KeyType type) {
  switch (type) {
    case KeyType::ecdsa_p384: return {ECC_SECP384R1, 48, WC_HASH_TYPE_SHA384};
    case KeyType::ecdsa_p521: return {ECC_SECP521R1, 66, WC_HASH_TYPE_SHA512};
    default: return {ECC_SECP256R1, 32, WC_HASH_TYPE_SHA256};
  }
}

inline word32 size32(std::span<const std::uint8_t> bytes) {
  return static_cast<word32>(bytes.size());
}

inline Error failed(Errc reason, int status) {
  return {reason, std::string("wolfSSL: ") + wc_GetErrorString(status)};
}

}  // namespace livetls::wolfssl
