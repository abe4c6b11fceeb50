// When the library calls its SNI callback, and what the answer does. livetls uses none: it reads
// the ClientHello itself.

#include <gtest/gtest.h>

#include "livetls/pki/certificate_authority.hpp"
#include "wolfssl/raw_pair.hpp"

namespace livetls {
namespace {

using namespace test;

class SniCallbackTest : public ::testing::TestWithParam<TlsVersion> {
 protected:
  SniCallbackTest() { on_client_hello(server, callback); }

  CertificateAuthority authority = CertificateAuthority::create().value();
  CtxPtr server = server_ctx(authority.issue().value());
  CtxPtr client = client_ctx(GetParam(), authority.trust_bundle());

  int runs = 0;
  std::string name;
  SniCallback callback = [this](WOLFSSL* ssl, int*) {
    ++runs;
    const char* asked = wolfSSL_get_servername(ssl, WOLFSSL_SNI_HOST_NAME);
    name = asked == nullptr ? "(none)" : asked;
    return kGoOn;
  };
};

INSTANTIATE_TEST_SUITE_P(Versions, SniCallbackTest,
                         ::testing::Values(TlsVersion::tls1_2, TlsVersion::tls1_3));

TEST_P(SniCallbackTest, RunsOnAClientHelloWithSni) {
  RawPair pair(client, server);
  pair.ask_for("localhost");
  EXPECT_TRUE(pair.handshake().done());
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(name, "localhost");
}

TEST_P(SniCallbackTest, RunsAlsoWithoutSni) {
  RawPair pair(client, server);
  EXPECT_TRUE(pair.handshake().done());
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(name, "(none)");
}

TEST_P(SniCallbackTest, ReturningTwoWithAlert112RejectsWithUnrecognizedName) {
  callback = [](WOLFSSL*, int* alert) {
    *alert = 112;
    return kReject;
  };
  RawPair pair(client, server);
  const RawPair::Outcome outcome = pair.handshake();
  EXPECT_FALSE(outcome.done());
  EXPECT_EQ(outcome.client, FATAL_ERROR);
  EXPECT_EQ(alert_received(pair.client), 112);
}

TEST(SniCallbackRetryTest, RunsAgainAfterAHelloRetryRequest) {
  const auto authority = CertificateAuthority::create().value();
  const CtxPtr server = server_ctx(authority.issue().value());
  const CtxPtr client = client_ctx(TlsVersion::tls1_3, authority.trust_bundle());
  int runs = 0;
  SniCallback callback = [&](WOLFSSL*, int*) {
    ++runs;
    return kGoOn;
  };
  on_client_hello(server, callback);
  RawPair pair(client, server);
  pair.provoke_retry();
  EXPECT_TRUE(pair.handshake().done());
  ASSERT_NE(pair.sent_by_server().find(kHelloRetryRequest), std::string::npos);
  EXPECT_EQ(runs, 2);
}

}  // namespace
}  // namespace livetls
