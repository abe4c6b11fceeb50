// Commits that are taken back by themselves.

#include <gtest/gtest.h>

#include "livetls/pki/self_signed.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "support/eventually.hpp"

namespace livetls {
namespace {

using namespace std::chrono_literals;

class TrialTest : public ::testing::Test {
 protected:
  Result<Receipt> commit(const CommitOptions& options) {
    return manager->stage({.default_identity = next}).value().commit(options);
  }

  bool is_rolled_back() {
    return test::eventually([&] { return manager->certificate() == first; });
  }

  void fail_handshakes(int count) {
    for (int i = 0; i < count; ++i) EXPECT_TRUE(manager->select({}));
  }

  void complete_handshakes(int count) {
    for (int i = 0; i < count; ++i) manager->select({}).value().seat.establish();
  }

  Certificate first = self_signed().value();
  Certificate next = self_signed().value();
  std::shared_ptr<CertManager> manager = CertManager::create(first).value();
};

TEST_F(TrialTest, WithoutAConfirmationItIsRolledBack) {
  ASSERT_TRUE(commit({.confirm_within = 10ms}));
  EXPECT_TRUE(is_rolled_back());
  EXPECT_EQ(manager->generation(), 3U);
  EXPECT_EQ(manager->confirm().error(), Errc::nothing_to_confirm) << "too late";
}

TEST_F(TrialTest, AConfirmedCommitStays) {
  ASSERT_TRUE(commit({.confirm_within = 1h}));
  EXPECT_EQ(manager->certificate(), next) << "it is served while it is on trial";
  ASSERT_TRUE(manager->confirm());
  EXPECT_EQ(manager->confirm().error(), Errc::nothing_to_confirm);

  // The watcher has looked again once a later trial has ended.
  ASSERT_TRUE(commit({.confirm_within = 1ms}));
  EXPECT_TRUE(test::eventually([&] { return manager->generation() == 4; }));
  EXPECT_EQ(manager->certificate(), next);
}

TEST_F(TrialTest, TooManyFailedHandshakesEndIt) {
  const CommitOptions options{.confirm_within = 1h, .max_failure_rate = 0.5, .min_handshakes = 4};
  ASSERT_TRUE(commit(options));
  complete_handshakes(1);
  fail_handshakes(3);
  EXPECT_TRUE(is_rolled_back());
}

TEST_F(TrialTest, FailuresOfTheGenerationBeforeDoNotCount) {
  fail_handshakes(100);
  ASSERT_TRUE(commit({.confirm_within = 1h, .max_failure_rate = 0.5, .min_handshakes = 4}));
  complete_handshakes(4);
  const auto uses = manager->generations_in_use();
  ASSERT_EQ(uses.size(), 2U);
  EXPECT_EQ(uses[0].failed, 100U);
  EXPECT_EQ(uses[1].failed, 0U);
  EXPECT_EQ(uses[1].completed, 4U);
  EXPECT_TRUE(manager->confirm());
}

TEST_F(TrialTest, WhatIsPublishedMeanwhileEndsIt) {
  ASSERT_TRUE(commit({.confirm_within = 1h}));
  ASSERT_TRUE(manager->update(first));
  EXPECT_EQ(manager->confirm().error(), Errc::nothing_to_confirm);
}

TEST_F(TrialTest, AManagerMayGoWhileATrialIsOn) {
  ASSERT_TRUE(commit({.confirm_within = 1h}));
  manager.reset();
}

TEST_F(TrialTest, NeedsAHistory) {
  manager = CertManager::create({.default_identity = first}, {.history_limit = 0}).value();
  EXPECT_THROW((void)commit({.confirm_within = 1h}), std::invalid_argument);
  EXPECT_TRUE(commit({}));
}

}  // namespace
}  // namespace livetls
