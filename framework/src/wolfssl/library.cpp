#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/chacha20_poly1305.h>
#include <wolfssl/wolfcrypt/curve25519.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/memory.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "base/secret_memory.hpp"
#include "wolfssl/key_scope.hpp"
#include "wolfssl/wolfssl.hpp"

namespace livetls::wolfssl {
namespace {

// wolfSSL's memory: the secret heap's within a KeyScope, else what it was before. Who frees a block
// does not know where it came from; its address tells.

struct Allocators {
  wolfSSL_Malloc_cb malloc = nullptr;
  wolfSSL_Free_cb free = nullptr;
  wolfSSL_Realloc_cb realloc = nullptr;
};

/// What was there before us; written once, before any other use of the library.
Allocators ordinary;

void* allocate_or_null(std::size_t bytes) noexcept {
  try {
    return allocate_secret(bytes);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void* allocate(std::size_t bytes) {
  return KeyScope::is_active() ? allocate_or_null(bytes) : ordinary.malloc(bytes);
}

void release(void* block) { is_secret(block) ? free_secret(block) : ordinary.free(block); }

void* reallocate(void* block, std::size_t bytes) {
  if (block == nullptr) return allocate(bytes);
  if (!is_secret(block)) return ordinary.realloc(block, bytes);
  void* const moved = allocate_or_null(bytes);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, block, std::min(bytes, secret_size(block)));
  free_secret(block);
  return moved;
}

bool take_over_memory() {
  wolfSSL_GetAllocators(&ordinary.malloc, &ordinary.free, &ordinary.realloc);
  if (ordinary.malloc == nullptr) ordinary = {std::malloc, std::free, std::realloc};
  return wolfSSL_SetAllocators(allocate, release, reallocate) == 0;
}

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

/// The packaged library computes with tables of points, of each thread its own, and leaves it to
/// the thread to free them at its end.
struct PointTables {
#ifdef FP_ECC
  ~PointTables() { wc_ecc_fp_free(); }
#endif
};

}  // namespace

std::chrono::sys_seconds library_time() {
  ensure_initialized();
  return std::chrono::sys_seconds(std::chrono::seconds(wc_Time(nullptr)));
}

void ensure_initialized() {
  static const bool started = [] {
    if (!take_over_memory() || wolfSSL_Init() != WOLFSSL_SUCCESS) {
      throw std::runtime_error("wolfSSL could not be initialised");
    }
    choose_implementations();
    return true;
  }();
  static_cast<void>(started);
  thread_local const PointTables tables;
  static_cast<void>(tables);
}

}  // namespace livetls::wolfssl
