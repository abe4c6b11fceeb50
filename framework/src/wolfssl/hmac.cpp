#include "livetls/tls/hmac.hpp"

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/hmac.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include <new>
#include <stdexcept>

#include "livetls/base/secret_bytes.hpp"
#include "wolfssl/wolfssl.hpp"

namespace livetls {

Mac hmac_sha256(std::span<const std::uint8_t> key, std::span<const std::uint8_t> text) {
  if (key.empty()) throw std::invalid_argument("a MAC needs a key");
  wolfssl::ensure_initialized();
  Hmac hmac{};
  Mac mac{};
  int status = wc_HmacInit(&hmac, nullptr, INVALID_DEVID);
  if (status != 0) throw std::bad_alloc();
  status = wc_HmacSetKey(&hmac, WC_SHA256, key.data(), static_cast<word32>(key.size()));
  if (status == 0) status = wc_HmacUpdate(&hmac, text.data(), static_cast<word32>(text.size()));
  if (status == 0) status = wc_HmacFinal(&hmac, mac.data());
  wc_HmacFree(&hmac);
  wipe(&hmac, sizeof hmac);
  if (status != 0) throw std::invalid_argument("a key that no MAC can be made with");
  return mac;
}

bool equal_secretly(const Mac& a, const Mac& b) noexcept {
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned>(a[i] ^ b[i]);
  return difference == 0;
}

}  // namespace livetls
