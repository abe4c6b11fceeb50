// The library keeps the authorities that it meets in the chains of its peers, where those are
// believed: in the store that it verifies with, for as long as that lives.

#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "livetls/pki/certificate_authority.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "support/engine_pair.hpp"
#include "wolfssl/counted_allocations.hpp"
#include "wolfssl/raw_pair.hpp"

namespace livetls {
namespace {

using namespace test;

class ChainsTest : public ::testing::TestWithParam<TlsVersion> {
 protected:
  /// With an authority in its chain that nobody has met before.
  Certificate stranger() const {
    return CertificateAuthority::create()
        .value()
        .create_intermediate({.organization = "Nobody"})
        .value()
        .issue()
        .value();
  }

  /// Each in a thread, whose tables of points go with it.
  static void expect_to_leave_nothing(const std::function<void()>& visit) {
    std::thread(visit).join();
    const CountedAllocations allocations;
    for (int i = 0; i < 5; ++i) std::thread(visit).join();
    EXPECT_EQ(allocations.live(), 0);
  }

  Certificate own = CertificateAuthority::create().value().issue().value();
};

INSTANTIATE_TEST_SUITE_P(Versions, ChainsTest,
                         ::testing::Values(TlsVersion::tls1_2, TlsVersion::tls1_3));

TEST_P(ChainsTest, StrangersLeaveNothingInAContextThatTakesAnyCertificate) {
  const auto manager =
      CertManager::create({.default_identity = Identity(own).with(ClientAuth::require_any)})
          .value();
  const auto config = std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager});
  const auto visit = [&] {
    const auto context = ClientContext::create({.policy = {GetParam(), GetParam()},
                                                .certificate = stranger(),
                                                .insecure_skip_verify = true})
                             .value();
    EnginePair engines(TlsEngine(context, ServerName::parse("localhost").value()),
                       TlsEngine(config), 4096);
    ASSERT_TRUE(engines.handshake().done());
    ASSERT_EQ(engines.server.peer_chain().size(), 2U);
  };
  expect_to_leave_nothing(visit);
}

TEST_P(ChainsTest, ServersLeaveNothingInAClientThatVerifiesNone) {
  const auto context =
      ClientContext::create({.policy = {GetParam(), GetParam()}, .insecure_skip_verify = true})
          .value();
  const auto visit = [&] {
    const auto manager = CertManager::create(stranger()).value();
    EnginePair engines(
        TlsEngine(context, ServerName::parse("localhost").value()),
        TlsEngine(std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager})), 4096);
    ASSERT_TRUE(engines.handshake().done());
  };
  expect_to_leave_nothing(visit);
}

// ---- Where chains are verified
// -------------------------------------------------------------------

/// One authority and what is below it, as a server's and as a client's.
class VerifiedChainsTest : public ChainsTest {
 protected:
  EnginePair::Outcome connect(const Certificate& server, std::optional<Certificate> client) {
    const auto context = ClientContext::create({.roots = authority.trust_bundle(),
                                                .policy = {GetParam(), GetParam()},
                                                .certificate = std::move(client)})
                             .value();
    return connect(context, config_of(server));
  }

  EnginePair::Outcome connect(const std::shared_ptr<const ClientContext>& context,
                              const std::shared_ptr<const ServerConfig>& config) {
    EnginePair engines(TlsEngine(context, ServerName::parse("localhost").value()),
                       TlsEngine(config), 4096);
    const auto outcome = engines.handshake();
    const auto copy = [](std::span<const std::vector<std::uint8_t>> chain) {
      return std::vector(chain.begin(), chain.end());
    };
    verified_by_client = copy(engines.client.verified_chain());
    verified_by_server = copy(engines.server.verified_chain());
    return outcome;
  }

  std::shared_ptr<const ServerConfig> config_of(const Certificate& server) const {
    const auto manager =
        CertManager::create(
            {.default_identity = Identity(server).with(ClientAuth::require_and_verify),
             .client_roots = authority.trust_bundle()})
            .value();
    return std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager});
  }

  /// Below an intermediate that was not there before.
  Certificate below_a_new_intermediate() const {
    return authority.create_intermediate({.organization = "Between"}).value().issue().value();
  }

  static Certificate without_intermediate(const Certificate& certificate) {
    return certificate.with_chain({certificate.chain().front()}).value();
  }

  CertificateAuthority authority = CertificateAuthority::create().value();
  std::vector<std::vector<std::uint8_t>> verified_by_client;
  std::vector<std::vector<std::uint8_t>> verified_by_server;
};

INSTANTIATE_TEST_SUITE_P(Versions, VerifiedChainsTest,
                         ::testing::Values(TlsVersion::tls1_2, TlsVersion::tls1_3));

TEST_P(VerifiedChainsTest, GoFromThePeersCertificateToTheRoot) {
  const Certificate server = below_a_new_intermediate(), client = authority.issue().value();
  ASSERT_TRUE(connect(server, client).done());
  const TrustBundle roots = authority.trust_bundle();
  const auto& root = roots.certificates().front();
  ASSERT_EQ(verified_by_client.size(), 3U);
  EXPECT_EQ(verified_by_client.front(), server.chain().front());
  EXPECT_EQ(verified_by_client.back(), root);
  ASSERT_EQ(verified_by_server.size(), 2U);
  EXPECT_EQ(verified_by_server.front(), client.chain().front());
  EXPECT_EQ(verified_by_server.back(), root);
  EXPECT_EQ(connect(server, own).server.error, Errc::peer_untrusted);
  EXPECT_TRUE(verified_by_server.empty());
}

TEST_P(VerifiedChainsTest, UseNothingThatAnotherConnectionHasSent) {
  const Certificate whole = below_a_new_intermediate(), alone = without_intermediate(whole);
  const Certificate server = authority.issue().value();
  const auto with = [&](const Certificate& client) {
    return ClientContext::create({.roots = authority.trust_bundle(),
                                  .policy = {GetParam(), GetParam()},
                                  .certificate = client})
        .value();
  };
  const auto config = config_of(server);
  EXPECT_EQ(connect(with(alone), config).server.error, Errc::peer_untrusted);
  EXPECT_TRUE(connect(with(whole), config).done());
  EXPECT_EQ(connect(with(alone), config).server.error, Errc::peer_untrusted) << "of a client";

  const auto context = with(server);
  EXPECT_EQ(connect(context, config_of(alone)).client.error, Errc::peer_untrusted);
  EXPECT_TRUE(connect(context, config_of(whole)).done());
  EXPECT_EQ(connect(context, config_of(alone)).client.error, Errc::peer_untrusted) << "of a server";
}

TEST_P(VerifiedChainsTest, LeaveNothingInTheContexts) {
  const auto config = config_of(authority.issue().value());
  expect_to_leave_nothing([&] {
    const auto context = ClientContext::create({.roots = authority.trust_bundle(),
                                                .policy = {GetParam(), GetParam()},
                                                .certificate = below_a_new_intermediate()})
                             .value();
    ASSERT_TRUE(connect(context, config).done());
    verified_by_client = {};
    verified_by_server = {};
  });
}

}  // namespace
}  // namespace livetls
