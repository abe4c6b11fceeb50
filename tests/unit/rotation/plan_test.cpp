#include "livetls/rotation/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "livetls/pki/certificate_authority.hpp"
#include "livetls/pki/self_signed.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "pki/pem.hpp"
#include "support/openssl_hierarchy.hpp"

namespace livetls {
namespace {

using std::chrono::days;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

constexpr std::chrono::sys_seconds kNow = std::chrono::sys_days(std::chrono::year(2030) / 6 / 1);

std::vector<FindingKind> kinds(const Plan& plan) {
  std::vector<FindingKind> kinds;
  for (const Finding& finding : plan.findings()) kinds.push_back(finding.kind);
  return kinds;
}

class PlanTest : public ::testing::Test {
 protected:
  Certificate issue(std::vector<std::string> names, std::chrono::seconds lifetime = days(30),
                    KeyType type = KeyType::ecdsa_p256) const {
    return authority
        .issue({.names = std::move(names), .lifetime = lifetime, .key_type = type, .now = now})
        .value();
  }

  Plan stage(CertSet set, const StagingPolicy& policy = {}) {
    return manager->stage(std::move(set), policy).value();
  }

  /// Whether a new certificate's chain is found not to hold together.
  static bool finds_a_break(const Certificate& certificate) {
    const auto manager = CertManager::create(self_signed().value()).value();
    const auto plan = manager->stage({.default_identity = certificate}).value();
    return std::ranges::count(plan.findings(), FindingKind::chain_incomplete, &Finding::kind) > 0;
  }

  /// A set with one identity beside the default.
  CertSet with(const std::string& name, Identity identity) const {
    CertSet set{.default_identity = first};
    set.identities.emplace(name, std::move(identity));
    return set;
  }

  std::chrono::sys_seconds now = kNow;
  CertificateAuthority root = CertificateAuthority::create({.now = kNow}).value();
  CertificateAuthority authority =
      root.create_intermediate({.organization = "Intermediate", .now = kNow}).value();
  // The TLS library judges roots by the machine's clock.
  CertificateAuthority clients = CertificateAuthority::create().value();
  Certificate first = issue({"localhost"});
  std::shared_ptr<CertManager> manager =
      CertManager::create({.default_identity = first}, {.now = [this] { return now; }}).value();
};

TEST_F(PlanTest, StagingPublishesNothingAndCommittingDoes) {
  const Certificate next = issue({"localhost"}, days(40));
  Plan plan = stage({.default_identity = next});
  EXPECT_EQ(manager->generation(), 1U);
  EXPECT_EQ(manager->certificate(), first);

  const auto receipt = plan.commit();
  ASSERT_TRUE(receipt) << receipt.error().message();
  EXPECT_EQ(receipt->generation, 2U);
  EXPECT_EQ(manager->certificate(), next);
}

TEST_F(PlanTest, ADroppedPlanLeavesNothingBehind) {
  { const Plan dropped = stage({.default_identity = issue({"localhost"})}); }
  EXPECT_EQ(manager->generation(), 1U);
  EXPECT_EQ(manager->generations_in_use().size(), 1U);
  EXPECT_EQ(manager->update(issue({"localhost"}))->generation, 2U);
}

TEST_F(PlanTest, OfTwoPlansOnOneBaseTheSecondIsOutdatedAndHarmsNothing) {
  const Certificate winner = issue({"localhost"});
  Plan loser = stage({.default_identity = issue({"localhost"})});
  { ASSERT_TRUE(stage({.default_identity = winner}).commit()); }
  const auto refused = loser.commit();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Errc::plan_outdated);
  EXPECT_EQ(manager->certificate(), winner);
}

TEST_F(PlanTest, ThatAnOutdatedPlanIsDroppedDoesNotHideThePublishedGeneration) {
  {
    const Plan loser = stage({.default_identity = issue({"localhost"})});
    ASSERT_TRUE(stage({.default_identity = issue({"localhost"})}).commit());
  }
  const auto uses = manager->generations_in_use();
  EXPECT_TRUE(std::ranges::any_of(uses, [](const auto& use) { return use.generation == 2; }));
}

TEST_F(PlanTest, APlanIsCommittedOnce) {
  Plan plan = stage({.default_identity = issue({"localhost"})});
  ASSERT_TRUE(plan.commit());
  EXPECT_EQ(plan.commit().error(), Errc::plan_outdated);
}

TEST_F(PlanTest, TellsARenewalFromAShorterLivedCertificate) {
  EXPECT_THAT(kinds(stage({.default_identity = issue({"localhost"}, days(40))})),
              Contains(FindingKind::renewed));
  EXPECT_THAT(kinds(stage({.default_identity = issue({"localhost"}, days(20))})),
              Contains(FindingKind::shorter_lived));
}

TEST_F(PlanTest, FindsNothingInWhatIsServedAlready) {
  EXPECT_THAT(kinds(stage({.default_identity = first})), IsEmpty());
}

TEST_F(PlanTest, NamesThatAreGainedAndLost) {
  Plan plan = stage({.default_identity = issue({"other.example"})});
  EXPECT_THAT(kinds(plan), IsSupersetOf({FindingKind::name_gained, FindingKind::name_lost}));
  const auto refused = plan.commit();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Errc::plan_refused);
  EXPECT_THAT(refused.error().context, ::testing::HasSubstr("name_lost: localhost"));
  EXPECT_EQ(manager->generation(), 1U);
}

TEST_F(PlanTest, ARefusalIsOverriddenByNameAndTheReasonIsKept) {
  Plan plan = stage({.default_identity = issue({"other.example"})});
  EXPECT_EQ(plan.override_refusal("expired", "because").error(), Errc::no_such_finding);
  EXPECT_EQ(plan.override_refusal("name_lost", "").error(), Errc::no_such_finding);
  ASSERT_TRUE(plan.override_refusal("name_lost", "the host was given up"));
  const auto lost = std::ranges::find(plan.findings(), FindingKind::name_lost, &Finding::kind);
  EXPECT_THAT(lost->message(), ::testing::HasSubstr("(overridden: the host was given up)"));
  EXPECT_TRUE(plan.commit());
}

TEST_F(PlanTest, ThePolicySaysHowSeriousAFindingIs) {
  const StagingPolicy lenient{.severities = {{FindingKind::name_lost, Severity::warning}}};
  EXPECT_TRUE(stage({.default_identity = issue({"other.example"})}, lenient).commit());

  const StagingPolicy strict{.severities = {{FindingKind::name_gained, Severity::refusal}}};
  Plan plan = stage(with("api.example", issue({"api.example"})), strict);
  EXPECT_EQ(plan.commit().error(), Errc::plan_refused);
}

TEST_F(PlanTest, WhatIsExpiredOrNotYetValidIsRefused) {
  const Certificate early = issue({"localhost"});
  now = kNow - days(1);
  EXPECT_THAT(kinds(stage({.default_identity = early})), Contains(FindingKind::not_yet_valid));
  now = kNow + days(31);
  Plan plan = stage({.default_identity = early});
  EXPECT_THAT(kinds(plan), Contains(FindingKind::expired));
  EXPECT_EQ(plan.commit().error(), Errc::plan_refused);
}

TEST_F(PlanTest, WhatExpiresBetweenStagingAndCommittingIsRefused) {
  Plan plan = stage({.default_identity = issue({"localhost"}, days(40))});
  now = kNow + days(41);
  EXPECT_EQ(plan.commit().error(), Errc::certificate_expired);
}

TEST_F(PlanTest, AnotherIssuerKeyTypeOrTheOldKeyIsSaid) {
  const Certificate other_issuer = root.issue({.names = {"localhost"}, .now = now}).value();
  EXPECT_THAT(kinds(stage({.default_identity = other_issuer})),
              IsSupersetOf({FindingKind::issuer_changed, FindingKind::chain_incomplete}));
  EXPECT_THAT(kinds(stage({.default_identity = issue({"localhost"}, days(30), KeyType::rsa)})),
              Contains(FindingKind::key_type_changed));

  auto key = PrivateKey::generate(KeyType::ecdsa_p256).value();
  const SecretBytes pem = key.to_pem();
  const Certificate same_key =
      authority
          .issue({.names = {"localhost"}, .lifetime = days(50), .now = now},
                 PrivateKey::from_pem(as_text(pem)).value())
          .value();
  ASSERT_TRUE(manager->update(same_key));
  const Certificate reused =
      authority.issue({.names = {"localhost"}, .lifetime = days(60), .now = now}, std::move(key))
          .value();
  EXPECT_THAT(kinds(stage({.default_identity = reused})), Contains(FindingKind::key_reused));
}

TEST_F(PlanTest, AChainOutOfOrderIsRepaired) {
  const CertificateAuthority second =
      authority.create_intermediate({.organization = "Second", .now = now}).value();
  const Certificate good = second.issue({.names = {"localhost"}, .now = now}).value();
  std::vector<std::vector<std::uint8_t>> chain(good.chain().begin(), good.chain().end());
  ASSERT_GE(chain.size(), 3U);
  std::swap(chain[1], chain[2]);
  chain.push_back(chain[1]);
  const Certificate jumbled = good.with_chain(chain).value();

  Plan plan = stage({.default_identity = jumbled});
  EXPECT_THAT(kinds(plan), Contains(FindingKind::chain_repaired));
  ASSERT_TRUE(plan.commit());
  EXPECT_EQ(manager->certificate(), good);
}

TEST_F(PlanTest, AnAddressThatIsLostIsANameThatIsLost) {
  const auto other = CertManager::create({.default_identity = issue({"localhost", "10.96.0.1"})},
                                         {.now = [this] { return now; }})
                         .value();
  const auto plan = other->stage({.default_identity = issue({"localhost"})}).value();
  const auto lost = std::ranges::find(plan.findings(), FindingKind::name_lost, &Finding::kind);
  ASSERT_NE(lost, plan.findings().end());
  EXPECT_EQ(lost->identity, "10.96.0.1");
}

/// RFC 9525, section 6.3.
TEST_F(PlanTest, NamesThatAWildcardServesAreNotLost) {
  const auto other =
      CertManager::create({.default_identity = issue({"a.w.example", "b.w.example"})},
                          {.now = [this] { return now; }})
          .value();
  const auto plan = other->stage({.default_identity = issue({"*.w.example"})}).value();
  EXPECT_THAT(kinds(plan), Not(Contains(FindingKind::name_lost)));
  const auto back = CertManager::create({.default_identity = issue({"*.w.example"})},
                                        {.now = [this] { return now; }})
                        .value();
  const auto narrower = back->stage({.default_identity = issue({"a.w.example"})}).value();
  EXPECT_THAT(kinds(narrower), Contains(FindingKind::name_lost)) << "others below it are";
}

TEST_F(PlanTest, AnIntermediateThatHasExpiredIsFound) {
  const auto short_lived =
      authority.create_intermediate({.organization = "Short", .lifetime = days(5), .now = now})
          .value();
  const Certificate certificate =
      short_lived.issue({.names = {"localhost"}, .lifetime = days(30), .now = now}).value();
  EXPECT_THAT(kinds(stage({.default_identity = certificate})), Not(Contains(FindingKind::expired)));
  now += days(6);
  EXPECT_THAT(kinds(stage({.default_identity = certificate})), Contains(FindingKind::expired));
}

/// Its name is right: nobody but a client would notice.
TEST_F(PlanTest, AnIntermediateOfAnotherKeyIsFound) {
  test::OpensslHierarchy hierarchy;
  hierarchy.ca("root", "root");
  hierarchy.ca("middle", "root");
  hierarchy.leaf("leaf", "middle");
  EXPECT_FALSE(finds_a_break(hierarchy.chain({"leaf", "middle"})));
  hierarchy.ca("middle", "root");  // of another key
  EXPECT_TRUE(finds_a_break(hierarchy.chain({"leaf", "middle"})));
}

TEST_F(PlanTest, AClientAuthorityThatHasExpiredStopsNoRenewal) {
  const auto old = CertificateAuthority::create({.lifetime = days(5), .now = now}).value();
  const CertSet set{
      .default_identity = Identity(first).with(ClientAuth::require_and_verify),
      .client_roots = TrustBundle::from_pem(old.root_pem() + authority.root_pem()).value()};
  const auto other = CertManager::create(set, {.now = [this] { return now; }}).value();
  now += days(6);
  CertSet next = set;
  next.default_identity = Identity(issue({"localhost"})).with(ClientAuth::require_and_verify);
  Plan plan = other->stage(next).value();
  const auto found = std::ranges::find_if(plan.findings(), [](const Finding& finding) {
    return finding.identity == "client_roots" &&
           finding.detail.find("expired") != std::string::npos;
  });
  EXPECT_NE(found, plan.findings().end());
  EXPECT_TRUE(plan.commit());
}

/// It is sent as it is: a client may know what to do with it.
TEST_F(PlanTest, AChainWithAKeyThatIsNotSupportedIsLeftAsItIs) {
  test::OpensslHierarchy hierarchy;
  hierarchy.sign_with("ec -pkeyopt ec_paramgen_curve:secp256k1", "-sha256");
  hierarchy.ca("root", "root");
  hierarchy.sign_with("ec -pkeyopt ec_paramgen_curve:P-256", "-sha256");
  hierarchy.ca("middle", "root");
  hierarchy.leaf("leaf", "middle");
  EXPECT_TRUE(hierarchy.chain({"leaf", "middle", "root"}).is_chain_in_order());
  for (const std::vector<std::string>& names :
       {std::vector<std::string>{"leaf", "middle", "root"}, {"leaf", "root", "middle"}}) {
    const Certificate certificate = hierarchy.chain(names);
    const auto other = CertManager::create(certificate).value();
    const auto plan = other->stage({.default_identity = certificate});
    ASSERT_TRUE(plan);
    EXPECT_THAT(kinds(*plan), Not(Contains(FindingKind::chain_repaired)));
  }
}

TEST_F(PlanTest, ACertificateForOtherNamesThanItsIdentityIsRefused) {
  EXPECT_THAT(kinds(stage(with("api.example", issue({"www.example"})))),
              Contains(FindingKind::name_not_covered));
  EXPECT_THAT(kinds(stage(with("api.example.com", issue({"*.example.com"})))),
              Not(Contains(FindingKind::name_not_covered)));
  EXPECT_THAT(kinds(stage(with("*.example.com", issue({"*.example.com"})))),
              Not(Contains(FindingKind::name_not_covered)));
  EXPECT_THAT(kinds(stage(with("*.example.com", issue({"www.example.com"})))),
              Contains(FindingKind::name_not_covered));
}

TEST_F(PlanTest, TrustThatIsAddedOrRemovedAndWeakenedClientAuthenticationAreSaid) {
  const auto other = CertificateAuthority::create({.organization = "Other"}).value();
  CertSet strict{.default_identity = Identity(first).with(ClientAuth::require_and_verify),
                 .client_roots = clients.trust_bundle()};
  ASSERT_TRUE(manager->update(strict));
  CertSet next = strict;
  next.client_roots = other.trust_bundle();
  next.default_identity.client_auth = ClientAuth::verify_if_given;
  EXPECT_THAT(kinds(stage(next)),
              IsSupersetOf({FindingKind::trust_added, FindingKind::trust_removed,
                            FindingKind::client_auth_weakened}));
}

/// Whatever the name had been served from, and however it is spelled.
TEST_F(PlanTest, ClientAuthenticationThatANameLosesIsSaidWhereverItCameFrom) {
  first = issue({"api.example.com", "*.example.net"});
  const Identity strict = Identity(first).with(ClientAuth::require_and_verify);
  CertSet base{.default_identity = strict,
               .identities = {{"*.example.org", strict}, {"www.example", strict}},
               .client_roots = clients.trust_bundle()};
  ASSERT_TRUE(manager->update(base));
  for (const char* name : {"api.example.com", "API.example.com", "a.example.net", "*.example.net",
                           "a.example.org", "WWW.example."}) {
    CertSet next = base;
    next.identities.erase("www.example");
    next.identities.insert_or_assign(name, Identity(first));
    EXPECT_THAT(kinds(stage(next)), Contains(FindingKind::client_auth_weakened)) << name;
  }
  CertSet next = base;
  next.identities.emplace("new.example", Identity(first));
  EXPECT_THAT(kinds(stage(next)), Not(Contains(FindingKind::client_auth_weakened)));
}

TEST_F(PlanTest, EveryKindOfKeyIsCompared) {
  const Certificate rsa = issue({"localhost"}, days(30), KeyType::rsa);
  ASSERT_TRUE(manager->update({.default_identity = std::vector{first, rsa}}));
  EXPECT_THAT(kinds(stage({.default_identity = first})), Contains(FindingKind::key_type_changed));
  EXPECT_THAT(kinds(stage({.default_identity =
                               std::vector{first, issue({"localhost"}, days(3), KeyType::rsa)}})),
              Contains(FindingKind::shorter_lived));
}

TEST_F(PlanTest, AnOverriddenExpiryIsOfTheIdentityItWasFoundInOnly) {
  const Certificate old = issue({"old.example"}, days(1));
  const Certificate brief = issue({"brief.example"}, days(3));
  now += days(2);
  CertSet set = with("old.example", old);
  set.identities.emplace("brief.example", brief);
  Plan plan = stage(set);
  ASSERT_TRUE(plan.override_refusal("expired", "an archive"));
  now += days(2);
  EXPECT_EQ(plan.commit().error(), Errc::certificate_expired) << "brief.example, meanwhile";
  now -= days(2);
  EXPECT_TRUE(plan.commit());
}

TEST_F(PlanTest, WhatCannotBeServedIsAnErrorAtOnce) {
  const auto refused =
      manager->stage({.default_identity = Identity(first).with(ClientAuth::require_and_verify)});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Errc::no_client_roots);
}

TEST_F(PlanTest, Ed25519AloneIsAWarningWhereTls12IsAllowed) {
  const Certificate modern = issue({"localhost"}, days(40), KeyType::ed25519);
  const auto warned = Contains(FindingKind::ed25519_alone);
  EXPECT_THAT(kinds(stage({.default_identity = modern})), warned);
  EXPECT_THAT(kinds(stage({.default_identity = std::vector{modern, first}})), Not(warned));
  EXPECT_THAT(
      kinds(stage({.default_identity = modern, .policy = {.min_version = TlsVersion::tls1_3}})),
      Not(warned));
  ASSERT_TRUE(manager->update(modern));
  EXPECT_THAT(kinds(stage(with("other.example", issue({"other.example"})))), Not(warned));
}

TEST_F(PlanTest, ProvesEveryCertificateInEveryVersionAndMode) {
  CertSet set{.default_identity =
                  Identity({issue({"localhost"}), issue({"localhost"}, days(9), KeyType::rsa)})
                      .with(ClientAuth::require_and_verify),
              .client_roots = clients.trust_bundle()};
  set.identities.emplace("*.example.com", Identity(issue({"*.example.com"})));
  EXPECT_THAT(stage(set).prove(), IsEmpty());
}

TEST_F(PlanTest, AProofNamesWhatClientsCannotTake) {
  CertificateAuthority issuer = root.create_intermediate({.now = kNow}).value();
  for (int depth = 0; depth < 12; ++depth) {
    issuer = issuer.create_intermediate({.now = kNow}).value();
  }
  const Certificate too_long = issuer.issue({.names = {"long.example"}, .now = kNow}).value();
  const auto failed = stage(with("long.example", too_long)).prove();
  ASSERT_EQ(failed.size(), 2U) << "one for each version";
  for (const FailedProof& proof : failed) {
    EXPECT_EQ(proof.identity, "long.example");
    EXPECT_EQ(proof.certificate, "CN=long.example,O=livetls (ECDSA P-256)");
    EXPECT_TRUE(proof.error.code);
  }
}

TEST_F(PlanTest, TheWayThatTheReadmeShows) {
  const Certificate renewed = issue({"localhost"}, days(40));
  std::ostringstream report;
  auto plan = manager->stage(CertSet{.default_identity = renewed}).value();
  for (const Finding& finding : plan.findings()) report << finding.message() << '\n';
  if (plan.prove().empty()) plan.commit().value();
  EXPECT_EQ(report.str(), "info: renewed: default: until 2030-07-11, was 2030-07-01\n");
  EXPECT_EQ(manager->certificate(), renewed);
  manager->rollback().value();
  EXPECT_EQ(manager->certificate(), first);
}

TEST(FindingKinds, HaveOneNameEach) {
  EXPECT_EQ(parse_finding_kind("name_lost"), FindingKind::name_lost);
  EXPECT_EQ(parse_finding_kind("nothing"), std::nullopt);
  for (int kind = 0; kind <= static_cast<int>(FindingKind::protocols_changed); ++kind) {
    const auto name = to_string(static_cast<FindingKind>(kind));
    EXPECT_EQ(parse_finding_kind(name), static_cast<FindingKind>(kind)) << name;
  }
}

}  // namespace
}  // namespace livetls
