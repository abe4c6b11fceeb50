#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/hash.h>

#include <array>
#include <stdexcept>

#include "wolfssl/wolfssl.hpp"

namespace livetls::wolfssl {
namespace {

/// wolfCrypt finds out what the processor can do at the first use of an algorithm, and stores it
/// unguarded. Keys and certificates are made before there are server threads and use the others;
/// SHA-384 would be used first by two handshakes at once.
bool choose_implementations() {
  constexpr std::array<byte, 1> kAnything = {0};
  std::array<byte, WC_SHA512_DIGEST_SIZE> digest;
  return wc_Sha384Hash(kAnything.data(), kAnything.size(), digest.data()) == 0 &&
         wc_Sha512Hash(kAnything.data(), kAnything.size(), digest.data()) == 0;
}

}  // namespace

void ensure_initialized() {
  static const bool started = [] {
    if (wolfSSL_Init() != WOLFSSL_SUCCESS || !choose_implementations()) {
      throw std::runtime_error("wolfSSL could not be initialised");
    }
    return true;
  }();
  static_cast<void>(started);
}

}  // namespace livetls::wolfssl
