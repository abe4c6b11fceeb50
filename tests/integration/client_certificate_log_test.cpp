// Why a client's certificate was rejected: told to operators, in the log at its default level and
// in the counters, and to nobody else.

#include <gmock/gmock.h>

#include "integration/listener_test.hpp"
#include "livetls/pki/certificate_authority.hpp"
#include "support/openssl_hierarchy.hpp"
#include "support/running_runtime.hpp"

namespace livetls::test {
namespace {

using testing::HasSubstr;

class ClientCertificateLog : public testing::Test {
 protected:
  /// Tries to get in, and is not let in.
  void present(std::optional<Certificate> certificate) {
    const std::uint64_t before = listener.counters().client_certificate;
    try {
      auto client =
          tls_client(listener.port(), {.roots = ca.roots(), .certificate = std::move(certificate)});
      ask_what_was_served(client);
      ADD_FAILURE() << "it was let in";
    } catch (const boost::system::system_error&) {
    }
    EXPECT_TRUE(eventually([&] { return listener.counters().client_certificate > before; }));
  }

  std::uint64_t counted(HandshakeFailure why) const {
    return manager->status().identities.front().handshakes.failures[static_cast<std::size_t>(why)];
  }

  CapturedLog log;
  TestCa ca;
  CertificateAuthority clients = CertificateAuthority::create().value();
  std::shared_ptr<CertManager> manager =
      CertManager::create(
          {.default_identity = Identity(ca.issue("server")).with(ClientAuth::require_and_verify),
           .client_roots = clients.trust_bundle()})
          .value();
  RunningRuntime runtime;
  Listener listener{runtime, manager, tell_what_is_served, {.address = "127.0.0.1"}};
};

TEST_F(ClientCertificateLog, SaysWhichCertificateBrokeWhichRule) {
  present(CertificateAuthority::create({.organization = "Elsewhere"}).value().issue().value());
  EXPECT_THAT(log.text(), HasSubstr("client certificate rejected: peer 127.0.0.1:"));
  EXPECT_THAT(log.text(), HasSubstr("server name localhost"));
  EXPECT_THAT(log.text(), HasSubstr("O=Elsewhere"));
  EXPECT_THAT(log.text(), HasSubstr("is neither sent nor trusted"));
  const auto day = std::chrono::days(1);
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  present(clients.issue({.lifetime = day, .now = now - 9 * day}).value());
  EXPECT_THAT(log.text(), HasSubstr("has expired"));
  present(std::nullopt);
  EXPECT_THAT(log.text(), HasSubstr("sent no certificate"));
  EXPECT_EQ(counted(HandshakeFailure::client_certificate), 1U);
  EXPECT_EQ(counted(HandshakeFailure::client_certificate_expired), 1U);
  EXPECT_EQ(counted(HandshakeFailure::client_certificate_missing), 1U);
}

TEST_F(ClientCertificateLog, TellsACertificateThatIsNotForClients) {
  OpensslHierarchy hierarchy;
  hierarchy.ca("root", "root");
  hierarchy.issue("for-servers", "root",
                  "extendedKeyUsage=serverAuth\nsubjectAltName=DNS:good.example\n");
  ASSERT_TRUE(manager->update(
      {.default_identity = Identity(ca.issue("server")).with(ClientAuth::require_and_verify),
       .client_roots = hierarchy.roots({"root"})}));
  present(hierarchy.chain({"for-servers"}));
  EXPECT_THAT(log.text(), HasSubstr("is not for clients (extended key usage)"));
  EXPECT_EQ(counted(HandshakeFailure::client_certificate_purpose), 1U);
}

}  // namespace
}  // namespace livetls::test
