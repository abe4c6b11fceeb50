// A CA's certificate is public. One that repeats its name, its key identifier and the bytes of its
// signature, but has another key and the names of a victim, proves nothing. The packaged library
// took it for a "trusted peer", and verified nothing any more (CVE-2026-93302).

#include <gtest/gtest.h>

#include "livetls/base/error.hpp"
#include "livetls/pki/certificate_authority.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "support/crafted_certificates.hpp"
#include "wolfssl/raw_end.hpp"

namespace livetls {
namespace {

using namespace test;

class TrustedPeersTest : public testing::TestWithParam<TlsVersion> {
 protected:
  /// Presents the clone of a CA's certificate.
  CtxPtr impostor(CtxPtr ctx, const TrustBundle& roots) const {
    const Der clone = clone_of(roots.certificates().front(), key.public_key_der(), "localhost");
    must(
        wolfSSL_CTX_use_certificate_buffer(ctx.get(), clone.data(), static_cast<long>(clone.size()),
                                           WOLFSSL_FILETYPE_ASN1) == WOLFSSL_SUCCESS,
        "the clone");
    must(wolfSSL_CTX_use_PrivateKey_buffer(ctx.get(), key.der().data(),
                                           static_cast<long>(key.der().size()),
                                           WOLFSSL_FILETYPE_ASN1) == WOLFSSL_SUCCESS,
         "its key");
    return ctx;
  }

  PrivateKey key = PrivateKey::generate(KeyType::ecdsa_p256).value();
  CertificateAuthority authority = CertificateAuthority::create().value();
};

INSTANTIATE_TEST_SUITE_P(Versions, TrustedPeersTest,
                         testing::Values(TlsVersion::tls1_2, TlsVersion::tls1_3));

TEST_P(TrustedPeersTest, AClientDoesNotTrustTheCloneOfARoot) {
  const auto context =
      ClientContext::create({.roots = authority.trust_bundle(), .policy = {GetParam(), GetParam()}})
          .value();
  TlsEngine client(context, ServerName::parse("localhost").value());
  RawEnd server(impostor(bare_server_ctx(), authority.trust_bundle()));
  const Met met = meet(client, server);
  EXPECT_FALSE(met.established());
  EXPECT_FALSE(client.peer_is_verified());
  EXPECT_EQ(met.engine.error, Errc::peer_untrusted) << met.engine.error.message();
}

TEST_P(TrustedPeersTest, AServerDoesNotLetTheCloneOfAClientRootIn) {
  for (const ClientAuth auth : {ClientAuth::require_and_verify, ClientAuth::verify_if_given}) {
    const auto manager =
        CertManager::create({.default_identity = Identity(authority.issue().value()).with(auth),
                             .client_roots = authority.trust_bundle()})
            .value();
    TlsEngine server(std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager}));
    CtxPtr ctx = bare_client_ctx(GetParam());
    wolfSSL_CTX_set_verify(ctx.get(), WOLFSSL_VERIFY_NONE, nullptr);
    RawEnd client(impostor(std::move(ctx), authority.trust_bundle()));
    const Met met = meet(server, client);
    EXPECT_FALSE(met.established());
    EXPECT_FALSE(server.peer_is_verified());
    EXPECT_EQ(met.engine.error, Errc::peer_untrusted) << met.engine.error.message();
  }
}

}  // namespace
}  // namespace livetls
