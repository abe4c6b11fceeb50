#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/chacha20_poly1305.h>
#include <wolfssl/wolfcrypt/curve25519.h>
#include <wolfssl/wolfcrypt/hash.h>

#include <array>
#include <stdexcept>

#include "wolfssl/wolfssl.hpp"

namespace livetls::wolfssl {
namespace {

/// wolfCrypt finds out what the processor can do at the first use of an algorithm, and stores it
/// unguarded. What handshakes use is used here first, before there are server threads.
void choose_implementations() {
  std::array<byte, 32> key{};
  key.back() = 64;  // as X25519 wants its keys
  std::array<byte, 64> out{};
  wc_Sha256Hash(key.data(), key.size(), out.data());
  wc_Sha384Hash(key.data(), key.size(), out.data());
  wc_Sha512Hash(key.data(), key.size(), out.data());

  Aes aes;
  if (wc_AesInit(&aes, nullptr, INVALID_DEVID) == 0) {
    wc_AesGcmSetKey(&aes, key.data(), key.size());
    wc_AesFree(&aes);
  }
  std::array<byte, CHACHA20_POLY1305_AEAD_AUTHTAG_SIZE> tag{};
  wc_ChaCha20Poly1305_Encrypt(key.data(), key.data(), nullptr, 0, key.data(), key.size(),
                              out.data(), tag.data());
  wc_curve25519_make_pub(32, out.data(), 32, key.data());
}

}  // namespace

void ensure_initialized() {
  static const bool started = [] {
    if (wolfSSL_Init() != WOLFSSL_SUCCESS) {
      throw std::runtime_error("wolfSSL could not be initialised");
    }
    choose_implementations();
    return true;
  }();
  static_cast<void>(started);
}

}  // namespace livetls::wolfssl
