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

}  // namespace
}  // namespace livetls
