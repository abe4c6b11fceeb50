// What a session ticket of the library's carries, and what follows from that. livetls seals tickets
// under the policy they belong to (tls/ticket_keys.hpp), and issues none where it verifies clients.

#include <gtest/gtest.h>

#include "livetls/pki/certificate_authority.hpp"
#include "wolfssl/raw_pair.hpp"

namespace livetls {
namespace {

using namespace test;

struct FreeSession {
  void operator()(WOLFSSL_SESSION* session) const { wolfSSL_SESSION_free(session); }
};
using SessionPtr = std::unique_ptr<WOLFSSL_SESSION, FreeSession>;

class TicketsTest : public ::testing::TestWithParam<TlsVersion> {
 protected:
  TicketsTest() {
    for (const CtxPtr* ctx : {&open, &strict}) {
      turn_session_cache_off(*ctx);
      share_tickets(*ctx, on_ticket);
    }
  }

  /// Where sessions with tickets are kept for all that, the second line ends it.
  static void turn_session_cache_off(const CtxPtr& ctx) {
    wolfSSL_CTX_set_session_cache_mode(ctx.get(), WOLFSSL_SESS_CACHE_OFF);
    wolfSSL_CTX_set_session_cache_mode(ctx.get(), WOLFSSL_SESS_CACHE_NO_INTERNAL);
  }

  RawPair::Outcome connect(const CtxPtr& server, const char* name = "a.example") {
    pair = std::make_unique<RawPair>(client, server);
    pair->ask_for(name);
    pair->ask_for_a_ticket();
    if (session) {
      must(wolfSSL_set_session(pair->client.get(), session.get()) == WOLFSSL_SUCCESS, "a session");
    }
    return pair->handshake();
  }

  /// Of the connection that was made last.
  void keep_the_session() {
    ASSERT_EQ(RawPair::send(pair->server, pair->client, "after the ticket"), "after the ticket");
    session.reset(wolfSSL_get1_session(pair->client.get()));
    ASSERT_TRUE(session != nullptr);
    ASSERT_EQ(wolfSSL_SESSION_has_ticket(session.get()), 1);
  }

  CertificateAuthority authority = CertificateAuthority::create().value();
  CertificateAuthority client_authority = CertificateAuthority::create().value();
  CtxPtr open = server_ctx(authority.issue().value());
  CtxPtr strict = strict_server_ctx(authority.issue().value(), client_authority.trust_bundle());
  CtxPtr client = client_ctx(GetParam(), authority.trust_bundle());
  TicketCallback on_ticket = [](bool) {};
  SessionPtr session;
  std::unique_ptr<RawPair> pair;
};

INSTANTIATE_TEST_SUITE_P(Versions, TicketsTest,
                         ::testing::Values(TlsVersion::tls1_2, TlsVersion::tls1_3));

TEST_P(TicketsTest, Tls12OpensATicketWithTheCreatingContextBeforeTheSniCallback) {
  ASSERT_TRUE(connect(open).done());
  keep_the_session();

  std::vector<std::string> events;
  const CtxPtr next = server_ctx(authority.issue().value());
  on_ticket = [&](bool sealed) { events.emplace_back(sealed ? "base seals" : "base opens"); };
  TicketCallback at_next = [&](bool sealed) {
    events.emplace_back(sealed ? "next seals" : "next opens");
  };
  share_tickets(next, at_next);
  SniCallback switch_to_next = [&](WOLFSSL* ssl, int*) {
    events.emplace_back("switch");
    must(wolfSSL_set_SSL_CTX(ssl, next.get()) == next.get(), "a switch");
    return kGoOn;
  };
  on_client_hello(open, switch_to_next);
  ASSERT_TRUE(connect(open).done());
  EXPECT_TRUE(resumed(pair->server));
  ASSERT_GE(events.size(), 2U);
  events.resize(2);
  const auto expected = GetParam() == TlsVersion::tls1_2
                            ? std::vector<std::string>{"base opens", "switch"}
                            : std::vector<std::string>{"switch", "next opens"};
  EXPECT_EQ(events, expected);
}

TEST_P(TicketsTest, ATicketCarriesNoPeerCertificate) {
  const Certificate of_client = client_authority.issue().value();
  use_certificate(client, of_client);
  ASSERT_TRUE(connect(strict).done());
  EXPECT_TRUE(peer_showed(pair->server, of_client));
  keep_the_session();
  ASSERT_TRUE(connect(strict).done());
  EXPECT_TRUE(resumed(pair->server));
  EXPECT_FALSE(peer_showed(pair->server, of_client));
}

TEST_P(TicketsTest, ThePackagedLibraryKeepsSessionsWithTicketsThoughItsCacheIsOff) {
  const Certificate of_client = client_authority.issue().value();
  use_certificate(client, of_client);
  strict = strict_server_ctx(authority.issue().value(), client_authority.trust_bundle());
  share_tickets(strict, on_ticket);
  wolfSSL_CTX_set_session_cache_mode(strict.get(), WOLFSSL_SESS_CACHE_OFF);
  ASSERT_TRUE(connect(strict).done());
  keep_the_session();
  ASSERT_TRUE(connect(strict).done());
  EXPECT_TRUE(resumed(pair->server));
  const bool kept = kOpenDefaults && GetParam() == TlsVersion::tls1_3;
  EXPECT_EQ(peer_showed(pair->server, of_client), kept);  // from the cache, since not in the ticket
}

TEST_P(TicketsTest, ToAskForAnotherTicketIsToRefuseTheFirstInTls13) {
  share_tickets<WOLFSSL_TICKET_RET_CREATE>(open, on_ticket);
  ASSERT_TRUE(connect(open).done());
  keep_the_session();
  ASSERT_TRUE(connect(open).done());
  constexpr bool kRefuses = LIBWOLFSSL_VERSION_HEX >= 0x05007000;
  EXPECT_EQ(resumed(pair->server), GetParam() == TlsVersion::tls1_2 || !kRefuses);
}

TEST_P(TicketsTest, ATicketCarriesNoServerName) {
  ASSERT_TRUE(connect(open, "a.example").done());
  keep_the_session();
  ASSERT_TRUE(connect(open, "b.example").done());
  EXPECT_TRUE(resumed(pair->server));
}

TEST_P(TicketsTest, AStrictContextRefusesAStrangerWithoutATicket) {
  EXPECT_EQ(connect(strict).server, NO_PEER_CERT);
}

TEST_P(TicketsTest, AKeySharedWithAnOpenContextLetsStrangersIntoAStrictOne) {
  ASSERT_TRUE(connect(open).done());
  keep_the_session();
  EXPECT_TRUE(connect(strict).done());
  EXPECT_TRUE(resumed(pair->server));
  EXPECT_EQ(RawPair::send(pair->client, pair->server, "a stranger"), "a stranger");
}

// ---- The session cache -------------------------------------------------------------------------

/// TLS 1.2 resumes also by session id, without tickets.
class SessionCacheTest : public ::testing::Test {
 protected:
  SessionCacheTest() {
    for (const CtxPtr* ctx : {&open, &strict}) wolfSSL_CTX_NoTicketTLSv12(ctx->get());
  }

  RawPair::Outcome connect(const CtxPtr& server) {
    pair = std::make_unique<RawPair>(client, server);
    if (session) {
      must(wolfSSL_set_session(pair->client.get(), session.get()) == WOLFSSL_SUCCESS, "a session");
    }
    return pair->handshake();
  }

  void keep_the_session() {
    session.reset(wolfSSL_get1_session(pair->client.get()));
    ASSERT_TRUE(session != nullptr);
    ASSERT_EQ(wolfSSL_SESSION_has_ticket(session.get()), 0);
  }

  CertificateAuthority authority = CertificateAuthority::create().value();
  CertificateAuthority client_authority = CertificateAuthority::create().value();
  CtxPtr open = server_ctx(authority.issue().value());
  CtxPtr strict = strict_server_ctx(authority.issue().value(), client_authority.trust_bundle());
  CtxPtr client = client_ctx(TlsVersion::tls1_2, authority.trust_bundle());
  SessionPtr session;
  std::unique_ptr<RawPair> pair;
};

TEST_F(SessionCacheTest, IsTheWholeProcesssSoOneContextResumesWhatAnotherMade) {
  ASSERT_TRUE(connect(open).done());
  keep_the_session();
  const CtxPtr other = server_ctx(authority.issue().value());
  ASSERT_TRUE(connect(other).done());
  EXPECT_TRUE(resumed(pair->server));
}

TEST_F(SessionCacheTest, LetsStrangersIntoAStrictContext) {
  EXPECT_EQ(connect(strict).server, NO_PEER_CERT);
  ASSERT_TRUE(connect(open).done());
  keep_the_session();
  EXPECT_TRUE(connect(strict).done());
  EXPECT_TRUE(resumed(pair->server));
}

TEST_F(SessionCacheTest, TurnedOffInAContextItResumesNothingThere) {
  ASSERT_TRUE(connect(open).done());
  keep_the_session();
  wolfSSL_CTX_set_session_cache_mode(strict.get(), WOLFSSL_SESS_CACHE_OFF);
  EXPECT_EQ(connect(strict).server, NO_PEER_CERT);
  wolfSSL_CTX_set_session_cache_mode(open.get(), WOLFSSL_SESS_CACHE_OFF);
  EXPECT_TRUE(connect(open).done());
  EXPECT_FALSE(resumed(pair->server));
}

}  // namespace
}  // namespace livetls
