// What the libraries do where nothing is set. livetls sets all of it (src/wolfssl/context.cpp).

#include <gtest/gtest.h>

#include "livetls/pki/self_signed.hpp"
#include "support/client_hello_builder.hpp"
#include "wolfssl/raw_pair.hpp"

namespace livetls {
namespace {

using namespace test;

constexpr std::uint16_t kTls13Aes128 = 0x1301;
constexpr std::uint16_t kEcdheEcdsaAes128Gcm = 0xc02b;
constexpr std::uint16_t kEcdheEcdsaAes128Cbc = 0xc009;

class DefaultsTest : public ::testing::Test {
 protected:
  /// What a server answers to one ClientHello.
  std::string answer_to(const ClientHelloBuilder& hello) {
    RawPair pair(client, server);
    const Bytes records = hello.records();
    pair.inject({reinterpret_cast<const char*>(records.data()), records.size()});
    pair.step_server();
    return pair.sent_by_server();
  }

  static ClientHelloBuilder hello(std::uint16_t suite) {
    ClientHelloBuilder hello;
    hello.cipher_suites = code_points({suite});
    hello.with(10, prefixed(2, code_points({23, 29})));  // P-256 and X25519
    hello.with(11, {1, 0});                              // points that are not compressed
    hello.with(13, prefixed(2, code_points({0x0403, 0x0203, 0x0804, 0x0401, 0x0201})));
    return hello;
  }

  static ClientHelloBuilder tls13_hello(std::uint16_t suite) {
    Bytes share = code_points({29});
    append(share, prefixed(2, Bytes(32, 9)));
    return hello(suite).with(43, prefixed(1, code_points({0x0304}))).with(51, prefixed(2, share));
  }

  bool accepts(const ClientHelloBuilder& hello) {
    constexpr std::string_view kServerHello = "\x02";
    return answer_to(hello).substr(5, 1) == kServerHello && answer_to(hello).front() == 22;
  }

  Certificate certificate = self_signed().value();
  CtxPtr server = server_ctx(certificate);
  CtxPtr client = bare_client_ctx(TlsVersion::tls1_2);
};

// ---- Verification ------------------------------------------------------------------------------

TEST_F(DefaultsTest, AServerAsksForNoCertificate) {
  EXPECT_EQ(wolfSSL_CTX_get_verify_mode(server.get()), WOLFSSL_VERIFY_NONE);
  wolfSSL_CTX_set_verify(client.get(), WOLFSSL_VERIFY_NONE, nullptr);
  EXPECT_TRUE(RawPair(client, server).handshake().done());
}

TEST_F(DefaultsTest, ThePackagedLibrarysClientVerifiesNothing) {
  const RawPair::Outcome outcome = RawPair(client, server).handshake();
  EXPECT_EQ(outcome.client, kOpenDefaults ? 0 : ASN_SELF_SIGNED_E);
}

// ---- Versions and suites -----------------------------------------------------------------------

TEST_F(DefaultsTest, ModernSuitesAreAccepted) {
  EXPECT_TRUE(accepts(hello(kEcdheEcdsaAes128Gcm)));
  EXPECT_TRUE(accepts(tls13_hello(kTls13Aes128)));
}

TEST_F(DefaultsTest, ThePackagedLibraryAcceptsTls11) {
  ClientHelloBuilder old = hello(kEcdheEcdsaAes128Cbc);
  old.legacy_version = 0x0302;
  EXPECT_EQ(accepts(old), kOpenDefaults);
}

TEST_F(DefaultsTest, Tls10AndSslv3AreCompiledInNeither) {
  ClientHelloBuilder old = hello(kEcdheEcdsaAes128Cbc);
  old.legacy_version = 0x0301;
  EXPECT_FALSE(accepts(old));
  old.legacy_version = 0x0300;
  old.has_extensions = false;
  EXPECT_FALSE(accepts(old));
}

TEST_F(DefaultsTest, ThePackagedLibraryAcceptsNullSuites) {
  EXPECT_EQ(accepts(hello(0xc006)), kOpenDefaults);        // ECDHE-ECDSA-NULL-SHA
  EXPECT_EQ(accepts(tls13_hello(0xc0b4)), kOpenDefaults);  // TLS13-SHA256-SHA256
}

TEST_F(DefaultsTest, ThePackagedLibraryAcceptsRc4AndTripleDes) {
  EXPECT_EQ(accepts(hello(0xc007)), kOpenDefaults);
  EXPECT_EQ(accepts(hello(0xc008)), kOpenDefaults);
}

// RFC 7919, ffdhe2048
constexpr std::string_view kDhParameters =
    "-----BEGIN DH PARAMETERS-----\n"
    "MIIBDAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz\n"
    "+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a\n"
    "87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7\n"
    "YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi\n"
    "7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD\n"
    "ssbzSibBsu/6iGtCOGEoXJf//////////wIBAgICAOE=\n"
    "-----END DH PARAMETERS-----\n";

TEST_F(DefaultsTest, ThePackagedLibraryAcceptsAnonymousSuitesOnceThereAreDhParameters) {
  const ClientHelloBuilder anonymous = hello(0x0034);  // ADH-AES128-SHA
  EXPECT_FALSE(accepts(anonymous));
  ASSERT_EQ(wolfSSL_CTX_SetTmpDH_buffer(
                server.get(), reinterpret_cast<const unsigned char*>(kDhParameters.data()),
                static_cast<long>(kDhParameters.size()), WOLFSSL_FILETYPE_PEM),
            WOLFSSL_SUCCESS);
  EXPECT_EQ(accepts(anonymous), kOpenDefaults);
}

TEST_F(DefaultsTest, ThePackagedLibraryIsCompiledWithNullAnonymousAndRc4Suites) {
  std::string suites(16 * 1024, '\0');
  ASSERT_EQ(wolfSSL_get_ciphers(suites.data(), static_cast<int>(suites.size())), WOLFSSL_SUCCESS);
  for (const char* weak : {"NULL", "ADH-", "RC4", "DES-CBC3"}) {
    EXPECT_EQ(suites.find(weak) != suites.npos, kOpenDefaults) << weak;
  }
}

// ---- Compatibility with middleboxes ------------------------------------------------------------

/// Whether the record after the ServerHello is a ChangeCipherSpec.
bool pretends_to_change_the_cipher(const std::string& answer) {
  constexpr std::string_view kChangeCipherSpec("\x14\x03\x03\x00\x01\x01", 6);
  const std::size_t size =
      static_cast<unsigned char>(answer.at(3)) * 256U + static_cast<unsigned char>(answer.at(4));
  return answer.substr(5 + size).starts_with(kChangeCipherSpec);
}

TEST_F(DefaultsTest, TheServerIsCompatibleWithMiddleboxesFrom57OnlyAndWithTheSwitch) {
#ifdef WOLFSSL_TLS13_MIDDLEBOX_COMPAT
  const bool compatible = LIBWOLFSSL_VERSION_HEX >= 0x05007000;
#else
  const bool compatible = false;
#endif
  EXPECT_EQ(pretends_to_change_the_cipher(answer_to(tls13_hello(kTls13Aes128))), compatible);
}

// RFC 8446, D.4, wants it where the client sent a session id only.
TEST_F(DefaultsTest, AClientWithoutASessionIdGetsTheSame) {
  ClientHelloBuilder hello = tls13_hello(kTls13Aes128);
  const bool with_id = pretends_to_change_the_cipher(answer_to(hello));
  hello.session_id.clear();
  EXPECT_EQ(pretends_to_change_the_cipher(answer_to(hello)), with_id);
}

}  // namespace
}  // namespace livetls
