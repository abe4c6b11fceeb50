// Of very many names, only so many have their contexts in memory.

#include <gtest/gtest.h>

#include "livetls/pki/certificate_authority.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "rotation/context_cache.hpp"
#include "support/engine_pair.hpp"
#include "support/openssl_ca.hpp"

namespace livetls {
namespace {

using test::EnginePair;

class OnDemandTest : public ::testing::Test {
 protected:
  static std::string name(int number) { return "n" + std::to_string(number) + ".example"; }

  Certificate certificate(const std::string& name) const {
    return authority.issue({.names = {name}}).value();
  }

  CertSet set_of(int names) const {
    CertSet set{.default_identity = certificate("localhost")};
    for (int i = 0; i < names; ++i) set.identities.emplace(name(i), certificate(name(i)));
    return set;
  }

  std::shared_ptr<CertManager> create(const CertSet& set) const {
    return CertManager::create(set, {.history_limit = 0, .max_kept_contexts = 2}).value();
  }

  /// Handshakes under `name`, verified; the leaf that was served.
  std::optional<CertificateInfo> handshake(const std::shared_ptr<CertManager>& manager,
                                           const std::string& name) const {
    EnginePair engines(
        TlsEngine(ClientContext::create({.roots = authority.trust_bundle()}).value(),
                  ServerName::parse(name).value()),
        TlsEngine(std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager})), 4096);
    if (!engines.handshake().done()) return std::nullopt;
    return engines.client.peer_certificate();
  }

  CertificateAuthority authority = CertificateAuthority::create().value();
};

TEST_F(OnDemandTest, EveryNameIsServedHoweverFewContextsAreKept) {
  const CertSet set = set_of(40);
  const auto manager = create(set);
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 40; ++i) {
      const auto leaf = handshake(manager, name(i));
      ASSERT_TRUE(leaf.has_value()) << name(i);
      EXPECT_EQ(leaf->fingerprint, set.identities.at(name(i)).certificates[0].leaf().fingerprint);
    }
  }
}

TEST_F(OnDemandTest, WhatWasChosenStaysWholeWhenItIsNotKeptAnyMore) {
  const auto manager = create(set_of(100));
  ClientHello hello;
  const std::string asked = name(50);
  hello.server_name = asked;
  const Served served = manager->select(hello).value();
  for (int i = 0; i < 100; ++i) {
    if (i != 50) handshake(manager, name(i));  // pushes it out
  }
  EXPECT_EQ(served.context->certificate().leaf().dns_names, std::vector{asked});
  EXPECT_TRUE(handshake(manager, asked).has_value());
}

TEST_F(OnDemandTest, ARenewedNameServesTheNewOneAndTheOldKeyGoes) {
  CertSet set = set_of(10);
  const auto manager = create(set);
  ClientHello hello;
  const std::string asked = name(7);
  hello.server_name = asked;
  const std::weak_ptr<const ServerContext> old = manager->select(hello).value().context;
  const std::weak_ptr<const Snapshot> old_snapshot = manager->snapshot();

  const Certificate renewed = certificate(asked);
  ASSERT_TRUE(manager->set(asked, renewed));
  EXPECT_EQ(handshake(manager, asked)->fingerprint, renewed.leaf().fingerprint);
  EXPECT_TRUE(old_snapshot.expired());
  EXPECT_TRUE(old.expired()) << "no cache keeps the old one";
}

TEST_F(OnDemandTest, WhatCannotBeServedIsRefusedAlthoughItsContextIsNotKept) {
  test::OpensslCa ca, stranger;
  const std::string forged = stranger.answer_about(stranger.issue());
  const auto staple = OcspStaple::from_der(test::as_bytes(forged)).value();
  CertSet set = set_of(10);
  set.identities.insert_or_assign(name(9), ca.issue().with_staple(staple).value());
  const auto refused = CertManager::create(set, {.max_kept_contexts = 2});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Errc::staple_unusable);
}

TEST_F(OnDemandTest, NamesThatComeBeforeOthersDoNotRaiseTheLimit) {
  CertSet set = set_of(2);
  const auto manager = create(set);
  for (int round = 0; round < 5; ++round) {
    set.identities.emplace("a" + std::to_string(9 - round) + ".example", certificate("a.example"));
    ASSERT_TRUE(manager->update(set));
  }
  std::size_t kept = 0;
  manager->snapshot()->for_each([&](const ReadyIdentity& identity) {
    if (identity.name() != "default") kept += identity.kept_contexts();
  });
  EXPECT_EQ(kept, 2U);
}

TEST_F(OnDemandTest, TheCacheIsBoundedAndForgetsWhoGoes) {
  ContextCache cache(32);
  const auto context = ServerContext::build(certificate("localhost"), {}).value();
  std::vector<int> owners(1000);
  for (const int& owner : owners) cache.put({&owner, 0}, context);
  EXPECT_LE(cache.size(), 32U);
  const int& last = owners.back();
  EXPECT_NE(cache.find({&last, 0}), nullptr);
  cache.forget(&last, 1);
  EXPECT_EQ(cache.find({&last, 0}), nullptr);
}

}  // namespace
}  // namespace livetls
