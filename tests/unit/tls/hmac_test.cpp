#include "livetls/tls/hmac.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string_view>

#include "livetls/pki/certificate_info.hpp"

namespace livetls {
namespace {

std::span<const std::uint8_t> bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST(Hmac, IsWhatRfc4231Says) {
  EXPECT_EQ(to_hex(hmac_sha256(bytes("Jefe"), bytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac_sha256(bytes(std::string(131, '\xaa')),
                               bytes("Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hmac, NeedsAKey) { EXPECT_THROW(hmac_sha256({}, bytes("x")), std::invalid_argument); }

TEST(Hmac, IsComparedWhole) {
  const Mac mac = hmac_sha256(bytes("k"), bytes("x"));
  EXPECT_TRUE(equal_secretly(mac, Mac(mac)));
  for (std::size_t i = 0; i < mac.size(); ++i) {
    Mac other = mac;
    other[i] ^= 1;
    EXPECT_FALSE(equal_secretly(mac, other)) << i;
  }
}

}  // namespace
}  // namespace livetls
