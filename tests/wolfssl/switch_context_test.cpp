// What wolfSSL_set_SSL_CTX moves to a session when the SNI callback calls it, and what it leaves.
// livetls does not switch: it creates a session on the context that was chosen.

#include <gtest/gtest.h>

#include "livetls/pki/certificate_authority.hpp"
#include "wolfssl/raw_pair.hpp"

namespace livetls {
namespace {

using namespace test;

/// Every ClientHello switches from `base` to `next`.
class SwitchContextTest : public ::testing::TestWithParam<TlsVersion> {
 protected:
  Certificate issue(KeyType type = KeyType::ecdsa_p256) {
    return authority.issue({.key_type = type}).value();
  }

  RawPair::Outcome switch_and_connect(const Certificate& from, const Certificate& to) {
    base = server_ctx(from);
    next = server_ctx(to);
    return connect();
  }

  RawPair::Outcome connect() {
    on_client_hello(base, switch_to_next);
    pair = std::make_unique<RawPair>(client, base);
    pair->ask_for_a_ticket();
    return pair->handshake();
  }

  /// What the callback does besides.
  std::function<void(WOLFSSL*)> after_the_switch = [](WOLFSSL*) {};

  SniCallback switch_to_next = [this](WOLFSSL* ssl, int*) {
    must(wolfSSL_set_SSL_CTX(ssl, next.get()) == next.get(), "a switch");
    after_the_switch(ssl);
    return kGoOn;
  };

  CertificateAuthority authority = CertificateAuthority::create().value();
  CertificateAuthority client_authority = CertificateAuthority::create().value();
  CtxPtr client = client_ctx(GetParam(), authority.trust_bundle());
  CtxPtr base;
  CtxPtr next;
  std::unique_ptr<RawPair> pair;
};

INSTANTIATE_TEST_SUITE_P(Versions, SwitchContextTest,
                         ::testing::Values(TlsVersion::tls1_2, TlsVersion::tls1_3));

// ---- Certificate, chain, key -------------------------------------------------------------------

TEST_P(SwitchContextTest, MovesCertificateAndKey) {
  const Certificate a = issue(), b = issue();
  ASSERT_TRUE(switch_and_connect(a, b).done());
  EXPECT_TRUE(peer_showed(pair->client, b));
  EXPECT_FALSE(peer_showed(pair->client, a));
}

TEST_P(SwitchContextTest, MovesTheChain) {
  const auto between = authority.create_intermediate({.organization = "between"}).value();
  const Certificate long_chain = between.issue().value();
  ASSERT_EQ(long_chain.chain().size(), 2U);
  ASSERT_TRUE(switch_and_connect(issue(), long_chain).done());  // the client knows the root only
  EXPECT_TRUE(peer_showed(pair->client, long_chain));
}

// ---- Cipher suites -----------------------------------------------------------------------------

TEST_P(SwitchContextTest, FromRsaToEcdsaFailsInTls12ForTheSuitesOfTheCreatingContextStay) {
  const RawPair::Outcome outcome = switch_and_connect(issue(KeyType::rsa), issue());
  EXPECT_EQ(outcome.done(), GetParam() == TlsVersion::tls1_3);
}

TEST_P(SwitchContextTest, FromEcdsaToRsaFailsInTls12BeforeVersion57) {
  const RawPair::Outcome outcome = switch_and_connect(issue(), issue(KeyType::rsa));
  const bool works = GetParam() == TlsVersion::tls1_3 || LIBWOLFSSL_VERSION_HEX >= 0x05007000;
  EXPECT_EQ(outcome.done(), works);
}

// The other half of the same: it is the way down from TLS 1.3 that makes a session's own list of
// suites.
TEST(SwitchContextTls12Test, OfContextsForTls12OnlyTheSuitesFollowFromVersion57) {
  const auto authority = CertificateAuthority::create().value();
  const CtxPtr base(wolfSSL_CTX_new(wolfTLSv1_2_server_method()));
  const CtxPtr next(wolfSSL_CTX_new(wolfTLSv1_2_server_method()));
  use_certificate(base, authority.issue({.key_type = KeyType::rsa}).value());
  use_certificate(next, authority.issue().value());
  SniCallback switch_to_next = [&](WOLFSSL* ssl, int*) {
    must(wolfSSL_set_SSL_CTX(ssl, next.get()) == next.get(), "a switch");
    return kGoOn;
  };
  on_client_hello(base, switch_to_next);
  RawPair pair(client_ctx(TlsVersion::tls1_2, authority.trust_bundle()), base);
  EXPECT_EQ(pair.handshake().done(), LIBWOLFSSL_VERSION_HEX >= 0x05007000);
}

TEST_P(SwitchContextTest, SettingTheCipherListAfterTheSwitchLetsEveryKindOfKeyWork) {
  after_the_switch = [](WOLFSSL* ssl) {
    must(wolfSSL_set_cipher_list(ssl,
                                 "TLS13-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:"
                                 "ECDHE-RSA-AES128-GCM-SHA256") == WOLFSSL_SUCCESS,
         "a cipher list");
  };
  const std::vector certificates = {issue(), issue(KeyType::rsa), issue(KeyType::ecdsa_p384)};
  for (const Certificate& from : certificates) {
    for (const Certificate& to : certificates) {
      EXPECT_TRUE(switch_and_connect(from, to).done());
      EXPECT_TRUE(peer_showed(pair->client, to));
    }
  }
}

// ---- Client authentication ---------------------------------------------------------------------

TEST_P(SwitchContextTest, VerifyModeStaysSoAnOpenContextLetsStrangersIntoAStrictOne) {
  base = server_ctx(issue());
  next = strict_server_ctx(issue(), client_authority.trust_bundle());
  EXPECT_TRUE(connect().done());
}

TEST_P(SwitchContextTest, VerifyModeStaysSoAStrictContextAsksAlsoForAnOpenOne) {
  base = strict_server_ctx(issue(), client_authority.trust_bundle());
  next = server_ctx(issue());
  EXPECT_EQ(connect().server, NO_PEER_CERT);
}

TEST_P(SwitchContextTest, SetVerifyOnTheSessionChangesItsMode) {
  after_the_switch = [](WOLFSSL* ssl) { wolfSSL_set_verify(ssl, kRequireCertificate, nullptr); };
  base = server_ctx(issue());
  next = strict_server_ctx(issue(), client_authority.trust_bundle());
  EXPECT_EQ(connect().server, NO_PEER_CERT);
}

TEST_P(SwitchContextTest, CaStoreFollows) {
  const auto other_authority = CertificateAuthority::create().value();
  const Certificate known_to_base = client_authority.issue().value();
  const Certificate known_to_next = other_authority.issue().value();
  base = strict_server_ctx(issue(), client_authority.trust_bundle());
  next = strict_server_ctx(issue(), other_authority.trust_bundle());
  use_certificate(client, known_to_next);
  EXPECT_TRUE(connect().done());
  use_certificate(client, known_to_base);
  EXPECT_EQ(connect().server, ASN_NO_SIGNER_E);
}

// ---- Lifetime and callbacks --------------------------------------------------------------------

TEST_P(SwitchContextTest, TakesAReferenceOnTheNewContextSoItMayBeRetiredInTheHandshake) {
  const Certificate b = issue();
  base = server_ctx(issue());
  next = server_ctx(b);
  after_the_switch = [&](WOLFSSL*) {
    next.reset();
    base.reset();
  };
  EXPECT_TRUE(connect().done());
  EXPECT_TRUE(peer_showed(pair->client, b));
}

TEST_P(SwitchContextTest, CallbacksOfTheNewContextAreUsedAfterTheSwitch) {
  base = server_ctx(issue());
  next = server_ctx(issue());
  std::vector<std::string> sealed_by;
  TicketCallback of_base = [&](bool) { sealed_by.emplace_back("base"); };
  TicketCallback of_next = [&](bool) { sealed_by.emplace_back("next"); };
  share_tickets(base, of_base);
  share_tickets(next, of_next);
  ASSERT_TRUE(connect().done());
  EXPECT_EQ(sealed_by, std::vector<std::string>{"next"});
}

TEST(SwitchContextRetryTest, TheSecondClientHelloRunsTheCallbackOfTheNewContext) {
  const auto authority = CertificateAuthority::create().value();
  const CtxPtr base = server_ctx(authority.issue().value());
  CtxPtr next = server_ctx(authority.issue().value());
  std::vector<std::string> runs;
  SniCallback of_base = [&](WOLFSSL* ssl, int*) {
    runs.push_back("base");
    must(wolfSSL_set_SSL_CTX(ssl, next.get()) == next.get(), "a switch");
    next.reset();  // its argument is not counted, and so has to live on
    return kGoOn;
  };
  SniCallback of_next = [&](WOLFSSL*, int*) {
    runs.push_back("next");
    return kGoOn;
  };
  on_client_hello(base, of_base);
  on_client_hello(next, of_next);
  RawPair pair(client_ctx(TlsVersion::tls1_3, authority.trust_bundle()), base);
  pair.provoke_retry();
  EXPECT_TRUE(pair.handshake().done());
  EXPECT_EQ(runs, (std::vector<std::string>{"base", "next"}));
}

}  // namespace
}  // namespace livetls
