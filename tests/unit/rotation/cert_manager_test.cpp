#include "livetls/rotation/cert_manager.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "livetls/pki/self_signed.hpp"

namespace livetls {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::sys_seconds kNow = std::chrono::sys_days(std::chrono::year(2030) / 6 / 1);

ClientHello asking_for(std::string_view name) {
  ClientHello hello;
  hello.server_name = name;
  return hello;
}

class CertManagerTest : public ::testing::Test {
 protected:
  Certificate certificate(std::vector<std::string> names = {"localhost"},
                          std::chrono::seconds lifetime = std::chrono::days(30)) {
    return self_signed({.names = std::move(names), .lifetime = lifetime, .now = now}).value();
  }

  std::shared_ptr<CertManager> create(CertSet set) {
    return CertManager::create(std::move(set), {.now = [this] { return now; }, .history_limit = 0})
        .value();
  }

  static Certificate served(const CertManager& manager, std::string_view name) {
    return manager.select(asking_for(name)).value().context->certificate();
  }

  std::chrono::sys_seconds now = kNow;  // the manager's clock
};

TEST_F(CertManagerTest, TheFirstGenerationIsOneAndEveryUpdateCountsOn) {
  const Certificate a = certificate(), b = certificate();
  const auto manager = create({.default_identity = a});
  EXPECT_EQ(manager->generation(), 1U);
  EXPECT_EQ(manager->certificate(), a);
  EXPECT_EQ(manager->snapshot()->generation(), 1U);

  const auto before = std::chrono::system_clock::now();
  const Result<Receipt> receipt = manager->update(b);
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->generation, 2U);
  EXPECT_GE(receipt->published_at, before);
  EXPECT_EQ(manager->generation(), 2U);
  EXPECT_EQ(manager->certificate(), b);

  EXPECT_EQ(manager->update(a)->generation, 3U);
  EXPECT_EQ(manager->certificate(), a);
  EXPECT_EQ(manager->update(a)->generation, 4U) << "the same again is an update too";
}

TEST_F(CertManagerTest, ACertificateAloneIsEnoughToStart) {
  const Certificate a = self_signed().value();
  const auto manager = CertManager::create(a).value();
  EXPECT_EQ(manager->certificate(), a);
  EXPECT_EQ(served(*manager, "localhost"), a);
}

TEST_F(CertManagerTest, AnUpdateOfTheDefaultLeavesTheNamedOnes) {
  const Certificate a = certificate(), b = certificate(), api = certificate({"api.example"});
  const auto manager = create({.default_identity = a,
                               .identities = {{"api.example", api}},
                               .policy = {.min_version = TlsVersion::tls1_3}});
  ASSERT_TRUE(manager->update(b));
  EXPECT_EQ(served(*manager, "api.example"), api);
  EXPECT_EQ(served(*manager, "localhost"), b);
  EXPECT_EQ(manager->snapshot()->set().policy.min_version, TlsVersion::tls1_3);

  ASSERT_TRUE(manager->update(CertSet{.default_identity = a}));
  EXPECT_EQ(served(*manager, "api.example"), a) << "a whole set replaces everything";
}

// ---- Refusals
// ------------------------------------------------------------------------------------

class CertManagerRefusalTest : public CertManagerTest {
 protected:
  void SetUp() override {
    manager = create({.default_identity = certificate(),
                      .identities = {{"api.example", certificate({"api.example"})}}});
    ASSERT_TRUE(manager->update(certificate()));
    before = manager->snapshot();
  }

  /// Neither may be published, by create or by update.
  void expect_refused(const CertSet& set, Errc reason, std::string_view told) {
    const Result<Receipt> update = manager->update(set);
    ASSERT_FALSE(update);
    EXPECT_EQ(update.error(), reason) << update.error().message();
    EXPECT_NE(update.error().message().find(told), std::string::npos) << update.error().message();
    EXPECT_EQ(manager->snapshot(), before) << "a refused update changes nothing";
    EXPECT_EQ(manager->generation(), 2U);

    const auto created = CertManager::create(set, {.now = [this] { return now; }});
    ASSERT_FALSE(created);
    EXPECT_EQ(created.error(), reason);

    ASSERT_EQ(manager->update(certificate()).value().generation, 3U) << "the next one is published";
  }

  std::shared_ptr<CertManager> manager;
  std::shared_ptr<const Snapshot> before;
};

TEST_F(CertManagerRefusalTest, AnExpiredDefault) {
  const Certificate old = certificate({"old.example"}, 1h);
  now += 1h + 1s;
  expect_refused({.default_identity = old}, Errc::certificate_expired, "default: CN=old.example");
}

TEST_F(CertManagerRefusalTest, AnExpiredNamedOne) {
  const Certificate old = certificate({"old.example"}, 1h);
  now += 1h + 1s;
  expect_refused({.default_identity = certificate(), .identities = {{"old.example", old}}},
                 Errc::certificate_expired, "old.example: ");
}

TEST_F(CertManagerRefusalTest, ANotYetValidOne) {
  now += 1h;
  const Certificate future = certificate({"future.example"});
  now -= 1h;
  expect_refused({.default_identity = future}, Errc::certificate_not_yet_valid, "future.example");
}

TEST_F(CertManagerRefusalTest, ANameWithoutACertificate) {
  const Identity empty(std::vector<Certificate>{});
  expect_refused({.default_identity = certificate(), .identities = {{"empty.example", empty}}},
                 Errc::identity_without_certificate, "empty.example");
}

TEST_F(CertManagerRefusalTest, TheNameOfTheDefaultForAnother) {
  expect_refused({.default_identity = certificate(), .identities = {{"Default", certificate()}}},
                 Errc::invalid_server_name, "'default'");
}

TEST_F(CertManagerRefusalTest, ANameThatIsNone) {
  expect_refused({.default_identity = certificate(), .identities = {{"a..b", certificate()}}},
                 Errc::invalid_server_name, "a..b");
}

TEST_F(CertManagerRefusalTest, ANameInTwoSpellings) {
  expect_refused({.default_identity = certificate(),
                  .identities = {{"a.example", certificate()}, {"A.EXAMPLE", certificate()}}},
                 Errc::invalid_server_name, "two spellings");
}

TEST_F(CertManagerRefusalTest, OfAnotherIdentityThatHasExpiredDoesNotConcernARenewal) {
  now += std::chrono::days(31);  // everything published so far has expired by now
  EXPECT_TRUE(manager->update(certificate())) << "a named one goes on as it is";
  EXPECT_TRUE(manager->set("other.example", certificate()));
}

TEST_F(CertManagerTest, ValidityIncludesItsFirstAndLastSecond) {
  const Certificate a = certificate({"a.example"}, 1h);
  now = a.leaf().not_before;
  EXPECT_TRUE(CertManager::create({.default_identity = a}, {.now = [this] { return now; }}));
  now = a.leaf().not_after;
  EXPECT_TRUE(CertManager::create({.default_identity = a}, {.now = [this] { return now; }}));
}

// ---- Selecting
// -----------------------------------------------------------------------------------

TEST_F(CertManagerTest, TheNameThatIsAskedForIsComparedInOneSpelling) {
  const Certificate api = certificate({"api.example"});
  const auto manager =
      create({.default_identity = certificate(), .identities = {{"api.example", api}}});
  for (const char* name : {"api.example", "API.EXAMPLE", "api.example."}) {
    const Served chosen = manager->select(asking_for(name)).value();
    EXPECT_EQ(chosen.context->certificate(), api) << name;
    EXPECT_EQ(chosen.match, NameMatch::exact);
  }
  EXPECT_EQ(manager->select(asking_for("")).value().match, NameMatch::none_asked);
  EXPECT_EQ(manager->select(asking_for("other.example")).value().match, NameMatch::unknown);
}

/// Clients do send such: RFC 6066, section 3, lets a server go on.
TEST_F(CertManagerTest, WhatIsNoHostNameIsServedTheDefaultAsAnUnknownName) {
  const Certificate fallback = certificate();
  const auto manager = create(
      {.default_identity = fallback, .identities = {{"a.example", certificate({"a.example"})}}});
  for (const char* name : {".", "a..b", "-a.example", "a b", "*.example.com", "a.example..",
                           "\xc3\xa4.example", "a.example:443", "[a.example]", "[::1]:443"}) {
    const Served served = manager->select(asking_for(name)).value();
    EXPECT_EQ(served.context->certificate(), fallback) << name;
    EXPECT_EQ(served.match, NameMatch::unknown) << name;
  }
}

/// What the TLS library's SNI callback asks.
TEST_F(CertManagerTest, AChoiceIsConfirmedByTheSnapshotThatItWasMadeFrom) {
  const CertSet set{.default_identity = certificate(),
                    .identities = {{"a.example", certificate({"a.example"})},
                                   {"*.b.example", certificate({"*.b.example"})}}};
  for (const std::size_t max_kept_contexts : {std::size_t{0}, std::size_t{100}}) {
    CertManager::Options options;
    options.now = [this] { return now; };
    options.max_kept_contexts = max_kept_contexts;
    const auto manager = CertManager::create(set, options).value();
    const Served a = manager->select(asking_for("a.example")).value();
    const Served b = manager->select(asking_for("x.b.example")).value();
    const Served none = manager->select(asking_for("")).value();
    ASSERT_TRUE(manager->update(CertSet{.default_identity = certificate()}));
    const auto confirms = [](const Served& served, std::string_view name) {
      return served.selection->confirms(name, *served.context);
    };
    EXPECT_TRUE(confirms(a, "a.example"));
    EXPECT_TRUE(confirms(a, "A.example."));
    EXPECT_FALSE(confirms(a, "x.b.example"));
    EXPECT_FALSE(confirms(a, ""));
    EXPECT_TRUE(confirms(b, "y.b.example"));
    EXPECT_FALSE(confirms(b, "b.example"));
    EXPECT_TRUE(confirms(none, ""));
    EXPECT_TRUE(confirms(none, "unknown.example"));
    EXPECT_FALSE(confirms(none, "a.example"));
    const Served after = manager->select(asking_for("a.example")).value();
    EXPECT_FALSE(after.selection->confirms("a.example", *a.context)) << "of another snapshot";
  }
}

TEST_F(CertManagerTest, TheCertificateFunctionIsAlwaysCurrentAndKeepsTheManager) {
  const Certificate a = certificate(), b = certificate(), api = certificate({"api.example"});
  auto manager = create({.default_identity = a});
  const CertManager::CertificateFunc certificate_for = manager->certificate_func();
  EXPECT_EQ(certificate_for(asking_for("localhost")).value(), a);
  ASSERT_TRUE(
      manager->update(CertSet{.default_identity = b, .identities = {{"api.example", api}}}));
  EXPECT_EQ(certificate_for(asking_for("localhost")).value(), b);
  EXPECT_EQ(certificate_for(asking_for("api.example")).value(), api);
  EXPECT_EQ(certificate_for(asking_for("a..b")).value(), b);
  manager.reset();
  EXPECT_EQ(certificate_for(asking_for("")).value(), b);
}

// ---- What was served
// -----------------------------------------------------------------------------

TEST_F(CertManagerTest, WhatWasServedNeverChanges) {
  const Certificate a = certificate();
  const auto manager = create({.default_identity = a});
  const Served pinned = manager->select(asking_for("localhost")).value();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(manager->update(certificate()));
  EXPECT_EQ(pinned.context->certificate(), a);
  EXPECT_EQ(pinned.generation, 1U);
  EXPECT_EQ(manager->select(asking_for("localhost")).value().generation, 11U);
}

TEST_F(CertManagerTest, WhatWasServedKeepsItsSnapshotAndNothingElseDoes) {
  const auto manager = create({.default_identity = certificate()});
  const std::weak_ptr<const Snapshot> first = manager->snapshot();
  auto pinned = std::make_optional(manager->select(asking_for("")).value());
  ASSERT_TRUE(manager->update(certificate()));
  EXPECT_FALSE(first.expired());
  pinned.reset();
  EXPECT_TRUE(first.expired()) << "its key would stay in memory";

  const std::weak_ptr<const Snapshot> second = manager->snapshot();
  ASSERT_TRUE(manager->update(certificate()));
  EXPECT_TRUE(second.expired());
}

TEST_F(CertManagerTest, AServedOutlivesItsManager) {
  const Certificate a = certificate();
  auto manager = create({.default_identity = a});
  const Served pinned = manager->select(asking_for("")).value();
  manager.reset();
  EXPECT_EQ(pinned.context->certificate(), a);
}

TEST_F(CertManagerTest, UnchangedIdentitiesKeepTheirContextOverAnUpdate) {
  const Certificate api = certificate({"api.example"});
  const auto manager =
      create({.default_identity = certificate(), .identities = {{"api.example", api}}});
  const auto api_before = manager->select(asking_for("api.example")).value().context;
  const auto default_before = manager->select(asking_for("")).value().context;
  ASSERT_TRUE(manager->update(certificate()));
  EXPECT_EQ(manager->select(asking_for("api.example")).value().context, api_before);
  EXPECT_NE(manager->select(asking_for("")).value().context, default_before);
}

TEST_F(CertManagerTest, ConcurrentUpdatesOfTheDefaultAllCount) {
  const auto manager = create({.default_identity = certificate()});
  const Certificate a = certificate(), b = certificate();
  std::atomic<int> published = 0;
  const auto update_ten_times = [&](const Certificate& one) {
    for (int i = 0; i < 10; ++i) published += manager->update(one).has_value();
  };
  std::thread first(update_ten_times, a);
  std::thread second(update_ten_times, b);
  first.join();
  second.join();
  EXPECT_EQ(published, 20);
  EXPECT_EQ(manager->generation(), 21U);
}

}  // namespace
}  // namespace livetls
