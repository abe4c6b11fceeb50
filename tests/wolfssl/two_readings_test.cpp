// A certificate that the library reads as one and livetls as another: the one that is verified
// must be the one that is used. The library did not look where a container ends (CVE-2026-87866).

#include <gtest/gtest.h>

#include "livetls/base/error.hpp"
#include "livetls/pki/certificate_info.hpp"
#include "support/crafted_certificates.hpp"
#include "wolfssl/raw_end.hpp"

namespace livetls {
namespace {

using namespace test;

class TwoReadingsTest : public testing::TestWithParam<TlsVersion> {
 protected:
  /// Signed by `root`: for the library, the attacker's; for a reader that looks at the ends of
  /// containers, the victim's.
  Der crafted() const {
    return sign(TwoReadings{.issuer = root.name,
                            .their_key_info = copy_of(attacker.public_key_der()),
                            .their_name = "attacker.example",
                            .our_key_info = copy_of(victim.public_key_der()),
                            .our_name = "victim.example"}
                    .tbs(),
                root.key);
  }

  /// Whether the library takes it for a certificate at all: 5.9.4 does not.
  static CtxPtr server_with(const Der& certificate, const PrivateKey& key) {
    CtxPtr ctx = bare_server_ctx();
    const bool taken = wolfSSL_CTX_use_certificate_buffer(
                           ctx.get(), certificate.data(), static_cast<long>(certificate.size()),
                           WOLFSSL_FILETYPE_ASN1) == WOLFSSL_SUCCESS &&
                       wolfSSL_CTX_use_PrivateKey_buffer(ctx.get(), key.der().data(),
                                                         static_cast<long>(key.der().size()),
                                                         WOLFSSL_FILETYPE_ASN1) == WOLFSSL_SUCCESS;
    return taken ? std::move(ctx) : nullptr;
  }

  CraftedRoot root;
  PrivateKey attacker = PrivateKey::generate(KeyType::ecdsa_p256).value();
  PrivateKey victim = PrivateKey::generate(KeyType::ecdsa_p256).value();
};

INSTANTIATE_TEST_SUITE_P(Versions, TwoReadingsTest,
                         testing::Values(TlsVersion::tls1_2, TlsVersion::tls1_3));

TEST_P(TwoReadingsTest, AreAMalformedCertificate) {
  const auto info = CertificateInfo::from_der(crafted());
  ASSERT_FALSE(info);
  EXPECT_EQ(info.error(), Errc::malformed_certificate) << info.error().message();
}

TEST_P(TwoReadingsTest, MakeNobodyTheServerOfAnotherName) {
  const CtxPtr ctx = server_with(crafted(), attacker);
  if (!ctx) GTEST_SKIP() << "the library refuses it by itself";
  const auto context =
      ClientContext::create({.roots = root.bundle(), .policy = {GetParam(), GetParam()}}).value();
  for (const char* name : {"victim.example", "attacker.example"}) {
    TlsEngine client(context, ServerName::parse(name).value());
    RawEnd server(ctx);
    const Met met = meet(client, server);
    EXPECT_FALSE(met.established()) << name;
    EXPECT_EQ(met.engine.error, Errc::malformed_certificate) << met.engine.error.message();
  }
}

/// What a pin or a fingerprint is compared with.
TEST_P(TwoReadingsTest, AreNeverThePeersCertificateWhereAnyIsTaken) {
  const CtxPtr ctx = server_with(crafted(), attacker);
  if (!ctx) GTEST_SKIP() << "the library refuses it by itself";
  const auto context =
      ClientContext::create({.policy = {GetParam(), GetParam()}, .insecure_skip_verify = true})
          .value();
  TlsEngine client(context, ServerName::parse("victim.example").value());
  RawEnd server(ctx);
  const Met met = meet(client, server);
  EXPECT_FALSE(met.established() && client.peer_certificate());
}

}  // namespace
}  // namespace livetls
