// Sessions of other wolfSSL servers in the process: the library looks every session up in a cache
// that all of them share, whatever a context says about caching, tickets and verification.

#include <gtest/gtest.h>

#include "livetls/base/error.hpp"
#include "livetls/pki/certificate_authority.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "wolfssl/error_category.hpp"
#include "wolfssl/raw_end.hpp"

namespace livetls {
namespace {

using namespace test;

class OtherSessionsTest : public testing::TestWithParam<TlsVersion> {
 protected:
  using Session = std::unique_ptr<WOLFSSL_SESSION, wolfssl::Deleter<wolfSSL_SESSION_free>>;

  OtherSessionsTest() { wolfSSL_CTX_set_verify(client_ctx.get(), WOLFSSL_VERIFY_NONE, nullptr); }

  /// Of a server that asks for nothing and keeps its sessions in the cache.
  Session session_of_another_server() const {
    const CtxPtr other = server_ctx(authority.issue().value());
    wolfSSL_CTX_set_options(other.get(), WOLFSSL_OP_NO_TICKET);
    RawPair pair(client_ctx, other);
    must(pair.handshake().done(), "a handshake with the other server");
    RawPair::send(pair.server, pair.client, "x");
    return Session(wolfSSL_get1_session(pair.client.get()));
  }

  Met come_with(const Session& session, ClientAuth auth) const {
    const auto manager =
        CertManager::create({.default_identity = Identity(authority.issue().value()).with(auth),
                             .client_roots = authority.trust_bundle()})
            .value();
    TlsEngine server(std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager}));
    RawEnd client(client_ctx);
    must(wolfSSL_set_session(client.ssl.get(), session.get()) == WOLFSSL_SUCCESS, "a session");
    Met met = meet(server, client);
    if (met.established()) {
      EXPECT_FALSE(server.resumed()) << "what it never issued";
      EXPECT_FALSE(server.peer_is_verified());
    }
    return met;
  }

  CertificateAuthority authority = CertificateAuthority::create().value();
  CtxPtr client_ctx = bare_client_ctx(GetParam());
};

INSTANTIATE_TEST_SUITE_P(Versions, OtherSessionsTest,
                         testing::Values(TlsVersion::tls1_2, TlsVersion::tls1_3));

TEST_P(OtherSessionsTest, AreNoWayAroundClientAuthentication) {
  const Session session = session_of_another_server();
  EXPECT_FALSE(come_with(session, ClientAuth::require_and_verify).established());
  EXPECT_FALSE(come_with(session, ClientAuth::require_any).established());
}

TEST_P(OtherSessionsTest, AreNotResumedWhereClientsAreOnlyAsked) {
  const Session session = session_of_another_server();
  come_with(session, ClientAuth::request);
  come_with(session, ClientAuth::verify_if_given);
}

/// Some of the library's calls fail without noting why.
TEST(WolfsslErrorTest, AFailureWithoutAReasonIsAFailure) {
  EXPECT_TRUE(wolfssl::to_error_code(0).failed());
  EXPECT_EQ(wolfssl::to_error_code(0), Errc::tls_failure);
}

}  // namespace
}  // namespace livetls
