// What was served before can be served again, and single identities come and go.

#include <gtest/gtest.h>

#include "livetls/pki/self_signed.hpp"
#include "livetls/rotation/cert_manager.hpp"

namespace livetls {
namespace {

using std::chrono::days;

class RollbackTest : public ::testing::Test {
 protected:
  Certificate certificate(const std::string& name = "localhost",
                          std::chrono::seconds lifetime = days(30)) const {
    return self_signed({.names = {name}, .lifetime = lifetime, .now = now}).value();
  }

  std::shared_ptr<CertManager> create(std::size_t history_limit) {
    return CertManager::create({.default_identity = a},
                               {.now = [this] { return now; }, .history_limit = history_limit})
        .value();
  }

  static Certificate served(const CertManager& manager, std::string_view name) {
    ClientHello hello;
    hello.server_name = name;
    return manager.select(hello).value().context->certificate();
  }

  std::chrono::sys_seconds now = std::chrono::sys_days(std::chrono::year(2030) / 6 / 1);
  Certificate a = certificate(), b = certificate(), c = certificate();
};

TEST_F(RollbackTest, ServesTheOneBeforeAsANewGeneration) {
  const auto manager = create(1);
  ASSERT_TRUE(manager->update(b));
  const auto receipt = manager->rollback();
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->generation, 3U);
  EXPECT_EQ(manager->certificate(), a);
  EXPECT_EQ(manager->rollback().error(), Errc::nothing_to_roll_back_to);
}

TEST_F(RollbackTest, OfAnotherIdentityThatHasExpiredTakesNoNotice) {
  const auto manager = create(1);
  ASSERT_TRUE(manager->set("brief.example", certificate("brief.example", days(1))));
  ASSERT_TRUE(manager->update(b));
  now += days(2);
  EXPECT_TRUE(manager->rollback());
  EXPECT_EQ(manager->certificate(), a);
}

TEST_F(RollbackTest, GoesBackAsFarAsTheHistoryReaches) {
  const auto manager = create(2);
  ASSERT_TRUE(manager->update(b));
  ASSERT_TRUE(manager->update(c));
  ASSERT_TRUE(manager->rollback());
  EXPECT_EQ(manager->certificate(), b);
  ASSERT_TRUE(manager->rollback());
  EXPECT_EQ(manager->certificate(), a);
}

TEST_F(RollbackTest, UsesTheContextsThatWereThere) {
  const auto manager = create(1);
  const auto before = manager->snapshot()->find_default().identity->context(0).value();
  ASSERT_TRUE(manager->update(b));
  ASSERT_TRUE(manager->rollback());
  EXPECT_EQ(manager->snapshot()->find_default().identity->context(0).value(), before);
}

TEST_F(RollbackTest, WhatHasExpiredMeanwhileStaysAway) {
  a = certificate("localhost", days(1));
  const auto manager = create(1);
  ASSERT_TRUE(manager->update(b));
  now += days(2);
  EXPECT_EQ(manager->rollback().error(), Errc::certificate_expired);
  EXPECT_EQ(manager->certificate(), b);
}

TEST_F(RollbackTest, TheHistoryIsBoundedAndCanBeForgotten) {
  const auto manager = create(1);
  const std::weak_ptr<const Snapshot> first = manager->snapshot();
  ASSERT_TRUE(manager->update(b));
  EXPECT_FALSE(first.expired());
  const std::weak_ptr<const Snapshot> second = manager->snapshot();
  ASSERT_TRUE(manager->update(c));
  EXPECT_TRUE(first.expired()) << "beyond the limit";
  EXPECT_FALSE(second.expired());
  manager->forget_history();
  EXPECT_TRUE(second.expired());
  EXPECT_EQ(manager->rollback().error(), Errc::nothing_to_roll_back_to);
}

TEST_F(RollbackTest, ARefusedUpdateIsNoPartOfTheHistory) {
  const auto manager = create(1);
  ASSERT_TRUE(manager->update(b));
  const Certificate short_lived = certificate("localhost", days(1));
  now += days(2);
  ASSERT_FALSE(manager->update(short_lived));
  ASSERT_TRUE(manager->rollback());
  EXPECT_EQ(manager->certificate(), a);
}

TEST_F(RollbackTest, SetAndEraseChangeOneIdentityInOneSpelling) {
  const auto manager = create(1);
  const Certificate api = certificate("api.example"), newer = certificate("api.example");
  const auto unchanged = manager->snapshot()->find_default().identity->context(0).value();
  ASSERT_TRUE(manager->set("api.example", api));
  EXPECT_EQ(served(*manager, "api.example"), api);
  ASSERT_TRUE(manager->set("API.example.", newer));
  EXPECT_EQ(served(*manager, "api.example"), newer);
  EXPECT_EQ(manager->snapshot()->set().identities.size(), 1U);
  EXPECT_EQ(manager->snapshot()->find_default().identity->context(0).value(), unchanged);

  const auto erased = manager->erase("Api.Example");
  ASSERT_TRUE(erased);
  EXPECT_EQ(erased->generation, 4U);
  EXPECT_EQ(served(*manager, "api.example"), a) << "the default";
  EXPECT_EQ(manager->erase("api.example").error(), Errc::unknown_identity);
  EXPECT_EQ(manager->set("no name", api).error(), Errc::invalid_server_name);
  EXPECT_EQ(manager->generation(), 4U);
}

}  // namespace
}  // namespace livetls
