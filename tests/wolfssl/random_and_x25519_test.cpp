// What the compiled library does differently from the packaged one: random bytes come from the
// kernel, and X25519 public keys from the tables of the Edwards form. The packaged one passes, too.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "wolfssl/wolfssl.hpp"

// After the one that knows how the library was compiled.
#include <wolfssl/wolfcrypt/curve25519.h>
#include <wolfssl/wolfcrypt/random.h>

namespace livetls {
namespace {

using Bytes32 = std::array<byte, CURVE25519_KEYSIZE>;

struct Generator {
  Generator() { EXPECT_EQ(wc_InitRng(&rng), 0); }
  ~Generator() { wc_FreeRng(&rng); }
  WC_RNG rng{};
};

Bytes32 public_key(const Bytes32& secret) {
  Bytes32 key{};
  EXPECT_EQ(
      wc_curve25519_make_pub(CURVE25519_KEYSIZE, key.data(), CURVE25519_KEYSIZE, secret.data()), 0);
  return key;
}

/// By the ladder, as for any other point.
Bytes32 nine_times(const Bytes32& secret) {
  Bytes32 key{};
  const Bytes32 nine = {9};
  EXPECT_EQ(wc_curve25519_generic(CURVE25519_KEYSIZE, key.data(), CURVE25519_KEYSIZE, secret.data(),
                                  CURVE25519_KEYSIZE, nine.data()),
            0);
  return key;
}

TEST(X25519, PublicKeysAreThoseOfRfc7748Section6) {
  Bytes32 alice = {0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d, 0x3c, 0x16, 0xc1,
                   0x72, 0x51, 0xb2, 0x66, 0x45, 0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0,
                   0x99, 0x2a, 0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a};
  alice.front() &= 248;
  alice.back() = static_cast<byte>((alice.back() & 127) | 64);
  const Bytes32 expected = {0x85, 0x20, 0xf0, 0x09, 0x89, 0x30, 0xa7, 0x54, 0x74, 0x8b, 0x7d,
                            0xdc, 0xb4, 0x3e, 0xf7, 0x5a, 0x0d, 0xbf, 0x3a, 0x0d, 0x26, 0x38,
                            0x1a, 0xf4, 0xeb, 0xa4, 0xa9, 0x8e, 0xaa, 0x9b, 0x4e, 0x6a};
  EXPECT_EQ(public_key(alice), expected);
}

TEST(X25519, PublicKeysAreMultiplesOfTheBasePoint) {
  Generator generator;
  for (int i = 0; i < 1000; ++i) {
    Bytes32 secret{};
    ASSERT_EQ(wc_curve25519_make_priv(&generator.rng, CURVE25519_KEYSIZE, secret.data()), 0);
    ASSERT_EQ(public_key(secret), nine_times(secret));
  }
  Bytes32 extreme;
  extreme.fill(0xff);
  extreme.front() = 0xf8;
  extreme.back() = 0x7f;
  EXPECT_EQ(public_key(extreme), nine_times(extreme));
  extreme.fill(0);
  extreme.back() = 0x40;
  EXPECT_EQ(public_key(extreme), nine_times(extreme));
}

/// The kernel gives 256 bytes at a time; blinding with an RSA key of 4,096 bits asks for 512.
TEST(RandomBytes, ComeInAnyNumber) {
  Generator generator;
  for (const std::size_t size : {16U, 256U, 257U + 16U, 512U, 1000U}) {
    std::vector<byte> bytes(size + 1, 0);
    ASSERT_EQ(wc_RNG_GenerateBlock(&generator.rng, bytes.data(), static_cast<word32>(size)), 0);
    EXPECT_EQ(bytes[size], 0) << "written beyond the end";
    const auto last = bytes.end() - 1;
    EXPECT_TRUE(std::any_of(last - 16, last, [](byte b) { return b != 0; })) << size;
  }
}

}  // namespace
}  // namespace livetls
