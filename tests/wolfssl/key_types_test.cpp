// Which kinds of key work in which version.

#include <gtest/gtest.h>

#include "livetls/pki/certificate_authority.hpp"
#include "wolfssl/raw_pair.hpp"

namespace livetls {
namespace {

using namespace test;

class KeyTypesTest : public ::testing::TestWithParam<TlsVersion> {
 protected:
  bool handshake(const CtxPtr& server) {
    return RawPair(client_ctx(GetParam(), authority.trust_bundle()), server).handshake().done();
  }

  CtxPtr server(KeyType type) { return server_ctx(authority.issue({.key_type = type}).value()); }

  CertificateAuthority authority = CertificateAuthority::create().value();
};

INSTANTIATE_TEST_SUITE_P(Versions, KeyTypesTest,
                         ::testing::Values(TlsVersion::tls1_2, TlsVersion::tls1_3));

TEST_P(KeyTypesTest, OnAContextOfItsOwnEveryKindWorks) {
  for (const KeyType type :
       {KeyType::ecdsa_p256, KeyType::ecdsa_p384, KeyType::rsa, KeyType::ed25519}) {
    EXPECT_TRUE(handshake(server(type))) << static_cast<int>(type);
  }
}

TEST_P(KeyTypesTest, ASwitchToEd25519WorksInTls13Only) {
  const CtxPtr base = server(KeyType::ecdsa_p256);
  const CtxPtr next = server(KeyType::ed25519);
  SniCallback switch_to_next = [&](WOLFSSL* ssl, int*) {
    must(wolfSSL_set_SSL_CTX(ssl, next.get()) == next.get(), "a switch");
    must(wolfSSL_set_cipher_list(ssl, "TLS13-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256") ==
             WOLFSSL_SUCCESS,
         "a cipher list");
    return kGoOn;
  };
  on_client_hello(base, switch_to_next);
  EXPECT_EQ(handshake(base), GetParam() == TlsVersion::tls1_3);
}

}  // namespace
}  // namespace livetls
