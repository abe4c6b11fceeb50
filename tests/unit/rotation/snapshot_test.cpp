#include "livetls/rotation/snapshot.hpp"

#include <gtest/gtest.h>

#include "livetls/pki/certificate_authority.hpp"
#include "livetls/pki/self_signed.hpp"

namespace livetls {
namespace {

class SnapshotTest : public ::testing::Test {
 protected:
  static Certificate certificate_for(std::vector<std::string> names) {
    return self_signed({.names = std::move(names)}).value();
  }

  static std::shared_ptr<const Snapshot> build(const CertSet& set,
                                               const Snapshot* previous = nullptr) {
    return Snapshot::build(set, previous ? previous->generation() + 1 : 1, previous).value();
  }

  static const Certificate& chosen(const Snapshot& snapshot, std::string_view name) {
    return choose(snapshot, name).context->certificate();
  }

  static NameMatch match(const Snapshot& snapshot, std::string_view name) {
    return choose(snapshot, name).match;
  }

  struct Choice {
    const ServerContext* context;
    NameMatch match;
  };

  static Choice first_of(Snapshot::Found found) {
    return {found.identity->context(0).value().get(), found.match};
  }

  static Choice choose(const Snapshot& snapshot, std::string_view name) {
    return first_of(snapshot.find(ServerName::parse(name).value()));
  }

  const Certificate fallback = certificate_for({"default.example"});
  const Certificate api = certificate_for({"api.example.com"});
  const Certificate wildcard = certificate_for({"*.example.com"});
};

TEST_F(SnapshotTest, AnExactNameBeatsAWildcardBeatsTheDefault) {
  const auto snapshot =
      build({.default_identity = fallback,
             .identities = {{"*.example.com", wildcard}, {"api.example.com", api}}});
  EXPECT_EQ(chosen(*snapshot, "api.example.com"), api);
  EXPECT_EQ(match(*snapshot, "api.example.com"), NameMatch::exact);
  EXPECT_EQ(chosen(*snapshot, "www.example.com"), wildcard);
  EXPECT_EQ(match(*snapshot, "www.example.com"), NameMatch::wildcard);
  EXPECT_EQ(chosen(*snapshot, "elsewhere.org"), fallback);
  EXPECT_EQ(match(*snapshot, "elsewhere.org"), NameMatch::unknown);
  EXPECT_EQ(first_of(snapshot->find_default()).context->certificate(), fallback);
  EXPECT_EQ(first_of(snapshot->find_default()).match, NameMatch::none_asked);
}

TEST_F(SnapshotTest, AWildcardStandsForExactlyOneLabel) {
  const auto snapshot =
      build({.default_identity = fallback, .identities = {{"*.example.com", wildcard}}});
  EXPECT_EQ(match(*snapshot, "a.example.com"), NameMatch::wildcard);
  EXPECT_EQ(match(*snapshot, "example.com"), NameMatch::unknown);
  EXPECT_EQ(match(*snapshot, "a.b.example.com"), NameMatch::unknown);
  EXPECT_EQ(match(*snapshot, "aexample.com"), NameMatch::unknown);
  EXPECT_EQ(match(*snapshot, "a.example.com.org"), NameMatch::unknown);
}

TEST_F(SnapshotTest, CaseAndOneTrailingDotMakeNoDifference) {
  const auto snapshot =
      build({.default_identity = fallback,
             .identities = {{"API.Example.COM.", api}, {"*.Example.com", wildcard}}});
  for (const char* name : {"api.example.com", "API.EXAMPLE.COM", "Api.example.com."}) {
    EXPECT_EQ(chosen(*snapshot, name), api) << name;
  }
  EXPECT_EQ(chosen(*snapshot, "WWW.EXAMPLE.COM."), wildcard);
}

TEST_F(SnapshotTest, TheNamesOfTheDefaultCertificateAreKnownUnlessTheyAreGivenToAnother) {
  const Certificate general = certificate_for({"one.example.com", "*.two.example.com"});
  const auto snapshot =
      build({.default_identity = general, .identities = {{"a.two.example.com", api}}});
  EXPECT_EQ(match(*snapshot, "one.example.com"), NameMatch::exact);
  EXPECT_EQ(match(*snapshot, "b.two.example.com"), NameMatch::wildcard);
  EXPECT_EQ(chosen(*snapshot, "a.two.example.com"), api);

  const auto overridden =
      build({.default_identity = general, .identities = {{"one.example.com", api}}});
  EXPECT_EQ(chosen(*overridden, "one.example.com"), api);
}

TEST_F(SnapshotTest, AnIpAddressNeverMatchesAWildcard) {
  const auto snapshot = build({.default_identity = fallback,
                               .identities = {{"*.example.com", wildcard}, {"192.0.2.1", api}}});
  EXPECT_EQ(match(*snapshot, "192.0.2.1"), NameMatch::exact);
  EXPECT_EQ(match(*snapshot, "192.0.2.2"), NameMatch::unknown);
}

TEST_F(SnapshotTest, ANameThatIsNoneIsRefusedByName) {
  for (const char* name :
       {"", "*", "*.com", "f*.example.com", "*.*.example.com", "a..example.com", "-a.example.com",
        "a b.example.com", "*.192.0.2.1", "http://a.example"}) {
    const auto refused =
        Snapshot::build({.default_identity = fallback, .identities = {{name, api}}}, 1, nullptr);
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error(), Errc::invalid_server_name) << name;
    EXPECT_NE(refused.error().message().find(name), std::string::npos) << refused.error().message();
  }
}

TEST_F(SnapshotTest, OneNameInTwoSpellingsIsRefused) {
  const auto refused =
      Snapshot::build({.default_identity = fallback,
                       .identities = {{"api.example.com", api}, {"API.example.com.", wildcard}}},
                      1, nullptr);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Errc::invalid_server_name);
  EXPECT_NE(refused.error().message().find("two spellings"), std::string::npos);
}

TEST_F(SnapshotTest, WhatIsUnchangedKeepsItsContext) {
  CertSet set{.default_identity = fallback,
              .identities = {{"api.example.com", api}, {"*.example.com", wildcard}}};
  const auto first = build(set);
  const Certificate renewed = certificate_for({"api.example.com"});
  set.identities.at("api.example.com") = renewed;
  const auto second = build(set, first.get());

  EXPECT_EQ(first_of(second->find_default()).context, first_of(first->find_default()).context);
  EXPECT_EQ(choose(*second, "www.example.com").context, choose(*first, "www.example.com").context);
  EXPECT_NE(choose(*second, "api.example.com").context, choose(*first, "api.example.com").context);
  EXPECT_EQ(chosen(*second, "api.example.com"), renewed);
  EXPECT_EQ(chosen(*first, "api.example.com"), api) << "a snapshot never changes";
}

TEST_F(SnapshotTest, OneCertificateUnderManyNamesIsOneContext) {
  const auto snapshot =
      build({.default_identity = fallback,
             .identities = {{"a.example", api}, {"b.example", api}, {"c.example", fallback}}});
  EXPECT_EQ(choose(*snapshot, "a.example").context, choose(*snapshot, "b.example").context);
  EXPECT_EQ(choose(*snapshot, "c.example").context, first_of(snapshot->find_default()).context);
}

TEST_F(SnapshotTest, TheSameLeafWithAnotherChainIsAnotherContext) {
  const auto authority = CertificateAuthority::create().value();
  const auto intermediate = authority.create_intermediate({.organization = "between"}).value();
  const Certificate whole = intermediate.issue().value();
  std::vector<std::vector<std::uint8_t>> leaf_alone = {whole.chain()[0]};
  auto key = PrivateKey::from_der(whole.private_key().der()).value();
  const Certificate alone = Certificate::from_parts(leaf_alone, std::move(key)).value();

  const auto first = build({.default_identity = alone});
  const auto second = build({.default_identity = whole}, first.get());
  EXPECT_NE(first_of(second->find_default()).context, first_of(first->find_default()).context);
  EXPECT_EQ(first_of(second->find_default()).context->certificate().chain().size(), 2U);
}

TEST_F(SnapshotTest, AnotherPolicyBuildsEveryContextAnew) {
  CertSet set{.default_identity = fallback, .identities = {{"api.example.com", api}}};
  const auto first = build(set);
  set.policy.min_version = TlsVersion::tls1_3;
  const auto second = build(set, first.get());
  EXPECT_NE(first_of(second->find_default()).context, first_of(first->find_default()).context);
  EXPECT_NE(choose(*second, "api.example.com").context, choose(*first, "api.example.com").context);
}

TEST_F(SnapshotTest, ASnapshotOutlivesTheOneItTookContextsFrom) {
  auto first = build({.default_identity = fallback});
  const auto second = build({.default_identity = fallback}, first.get());
  const std::weak_ptr<const Snapshot> gone = first;
  first.reset();
  EXPECT_TRUE(gone.expired()) << "sharing a context must not keep the snapshot";
  EXPECT_EQ(first_of(second->find_default()).context->certificate(), fallback);
}

}  // namespace
}  // namespace livetls
