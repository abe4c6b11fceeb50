// Whether a server's session may begin on a context without a certificate, to get one in the SNI
// callback. It may in the packaged library, which is compiled with pre-shared keys for every
// context (for Qt) and anonymous suites: neither needs a certificate. livetls always begins on a
// context that has one.

#include <gtest/gtest.h>

#include "livetls/pki/certificate_authority.hpp"
#include "wolfssl/raw_pair.hpp"

namespace livetls {
namespace {

using namespace test;

class NoCertificateTest : public ::testing::TestWithParam<TlsVersion> {
 protected:
  CertificateAuthority authority = CertificateAuthority::create().value();
  Certificate certificate = authority.issue().value();
  CtxPtr client = client_ctx(GetParam(), authority.trust_bundle());
  CtxPtr base = bare_server_ctx();
  CtxPtr next = server_ctx(certificate);
  SniCallback switch_to_next = [this](WOLFSSL* ssl, int*) {
    must(wolfSSL_set_SSL_CTX(ssl, next.get()) == next.get(), "a switch");
    must(wolfSSL_set_cipher_list(ssl, "TLS13-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256") ==
             WOLFSSL_SUCCESS,
         "a cipher list");
    return kGoOn;
  };
};

INSTANTIATE_TEST_SUITE_P(Versions, NoCertificateTest,
                         ::testing::Values(TlsVersion::tls1_2, TlsVersion::tls1_3));

TEST_P(NoCertificateTest, TheContextSwitchedToIsServedWhereASessionCanBegin) {
  on_client_hello(base, switch_to_next);
  if (!kOpenDefaults) {
    EXPECT_EQ(SslPtr(wolfSSL_new(base.get())), nullptr);
    return;
  }
  RawPair pair(client, base);
  ASSERT_TRUE(pair.handshake().done());
  EXPECT_TRUE(peer_showed(pair.client, certificate));
}

TEST_P(NoCertificateTest, ACertificateCallbackChangesNothingOfThat) {
  wolfSSL_CTX_set_cert_cb(
      base.get(), [](WOLFSSL*, void*) { return 1; }, nullptr);
  EXPECT_EQ(SslPtr(wolfSSL_new(base.get())) != nullptr, kOpenDefaults);
}

}  // namespace
}  // namespace livetls
