// After a compromise: the key is not served again, and its tickets are dead.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "livetls/pki/certificate_authority.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "support/engine_pair.hpp"
#include "support/shell.hpp"
#include "support/temporary_directory.hpp"

namespace livetls {
namespace {

using test::EnginePair;

class RevocationTest : public ::testing::Test {
 protected:
  Certificate issue(std::vector<std::string> names, KeyType type = KeyType::ecdsa_p256) const {
    return authority.issue({.names = std::move(names), .key_type = type}).value();
  }

  EnginePair connect(const char* name, std::optional<ClientSession> session = {},
                     bool takes_anything = false) {
    EnginePair engines(
        TlsEngine(ClientContext::create(
                      {.roots = authority.trust_bundle(), .insecure_skip_verify = takes_anything})
                      .value(),
                  ServerName::parse(name).value(), std::move(session)),
        TlsEngine(std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager})), 4096);
    EXPECT_TRUE(engines.handshake().done());
    EXPECT_TRUE(EnginePair::send(engines, engines.server, engines.client, "x"));
    return engines;
  }

  ClientSession session(const char* name) { return connect(name).client.session().value(); }
  bool resumes(const char* name, const ClientSession& session) {
    return connect(name, session).server.resumed();
  }

  CertificateAuthority authority = CertificateAuthority::create().value();
  Certificate leaked = issue({"api.example"});
  Certificate fresh = issue({"api.example"});
  std::shared_ptr<CertManager> manager =
      CertManager::create(CertSet{.default_identity = issue({"localhost"}),
                                  .identities = {{"api.example", leaked}}})
          .value();
};

/// As old certificates are, with a common name only.
TEST_F(RevocationTest, OfACertificateWithoutNamesTheTicketsAreDeadToo) {
  const auto nameless = [] {
    test::TemporaryDirectory directory;
    test::must_run(directory.path(),
                   "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
                   "-keyout key -out certificate -subj /CN=localhost -days 9");
    return Certificate::load(directory / "certificate", directory / "key").value();
  };
  const Certificate old = nameless();
  manager = CertManager::create(old).value();
  const auto session = connect("localhost", {}, true).client.session().value();
  EXPECT_TRUE(connect("localhost", session, true).server.resumed());
  ASSERT_TRUE(manager->revoke(old, {.replacement = nameless()}));
  EXPECT_FALSE(connect("localhost", session, true).server.resumed());
}

TEST_F(RevocationTest, TheReplacementIsServedAndTheRevokedKeyNeverAgain) {
  const auto revocation = manager->revoke(leaked, {.replacement = fresh});
  ASSERT_TRUE(revocation);
  EXPECT_EQ(revocation->receipt.generation, 2U);
  EXPECT_EQ(connect("api.example").client.peer_certificate()->fingerprint,
            fresh.leaf().fingerprint);

  EXPECT_EQ(manager->set("api.example", leaked).error(), Errc::certificate_revoked);
  EXPECT_EQ(manager->update(leaked).error(), Errc::certificate_revoked);
  EXPECT_EQ(manager->stage({.default_identity = leaked}).error(), Errc::certificate_revoked);
  EXPECT_EQ(manager->rollback().error(), Errc::nothing_to_roll_back_to);
}

TEST_F(RevocationTest, ARenewalOverTheRevokedKeyIsRefusedToo) {
  ASSERT_TRUE(manager->revoke(leaked, {.replacement = fresh}));
  const Certificate renewed = authority
                                  .issue({.names = {"api.example"}},
                                         PrivateKey::from_der(leaked.private_key().der()).value())
                                  .value();
  EXPECT_EQ(manager->set("api.example", renewed).error(), Errc::certificate_revoked);
}

TEST_F(RevocationTest, ItsTicketsAreDeadAndThoseOfOtherNamesAreNot) {
  const ClientSession of_api = session("api.example"), of_default = session("localhost");
  ASSERT_TRUE(manager->revoke(leaked, {.replacement = fresh}));
  EXPECT_FALSE(resumes("api.example", of_api));
  EXPECT_TRUE(resumes("localhost", of_default));
  EXPECT_TRUE(resumes("api.example", session("api.example"))) << "new sessions resume";
}

TEST_F(RevocationTest, MachinesThatShareTicketsAndRevokeTheSameGoOnSharing) {
  const auto there = CertManager::create(CertSet{.default_identity = issue({"localhost"}),
                                                 .identities = {{"api.example", leaked}}},
                                         {.ticket_keys = manager->ticket_keys()})
                         .value();
  const ClientSession old_session = session("api.example");
  ASSERT_TRUE(manager->revoke(leaked, {.replacement = fresh}));
  const ClientSession new_session = session("api.example");
  manager = there;
  EXPECT_TRUE(resumes("api.example", old_session)) << "it has not revoked yet";
  EXPECT_FALSE(resumes("api.example", new_session));
  ASSERT_TRUE(manager->revoke(leaked, {.replacement = issue({"api.example"})}));
  EXPECT_TRUE(resumes("api.example", new_session));
}

TEST_F(RevocationTest, WithoutAReplacementTheOtherKindsOfKeyGoOn) {
  const Certificate rsa = issue({"api.example"}, KeyType::rsa);
  ASSERT_TRUE(manager->set("api.example", std::vector{leaked, rsa}));
  ASSERT_TRUE(manager->revoke(leaked));
  EXPECT_EQ(connect("api.example").client.peer_certificate()->key_type, KeyType::rsa);
}

TEST_F(RevocationTest, WhereNothingWouldBeLeftItChangesNothing) {
  const auto refused = manager->revoke(leaked);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Errc::nothing_to_serve_instead);
  EXPECT_EQ(manager->generation(), 1U);
  EXPECT_TRUE(manager->set("api.example", leaked)) << "it is not revoked";
}

TEST_F(RevocationTest, AKeyThatIsServedNoMoreCanStillBeRevoked) {
  ASSERT_TRUE(manager->set("api.example", fresh));
  const ClientSession of_api = session("api.example");
  ASSERT_TRUE(manager->revoke(leaked));
  EXPECT_FALSE(resumes("api.example", of_api)) << "it may go back to a session of the leaked key";
  EXPECT_EQ(manager->rollback().error(), Errc::nothing_to_roll_back_to);
}

TEST_F(RevocationTest, AScheduledPlanWithTheKeyIsRefusedWhenItsTimeComes) {
  CertSet set = manager->snapshot()->set();
  set.identities.insert_or_assign("other.example", issue({"other.example"}));
  ASSERT_TRUE(manager->set("api.example", fresh));
  set.identities.insert_or_assign("api.example", leaked);
  auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  manager =
      CertManager::create(manager->snapshot()->set(), {.now = [&now] { return now; }}).value();
  ASSERT_TRUE(manager->stage(set).value().schedule({.not_before = now + std::chrono::hours(1)}));
  ASSERT_TRUE(manager->revoke(leaked));
  now += std::chrono::hours(2);
  manager->attend();
  EXPECT_EQ(manager->status().events.back().kind, EventKind::refused);
  EXPECT_EQ(connect("api.example").client.peer_certificate()->fingerprint,
            fresh.leaf().fingerprint);
}

TEST_F(RevocationTest, ADeadlineBelowTheSpreadIsAMistake) {
  using namespace std::chrono_literals;
  EXPECT_THROW((void)manager->revoke(leaked, {.spread = 2s, .deadline = 1s}),
               std::invalid_argument);
}

}  // namespace
}  // namespace livetls
