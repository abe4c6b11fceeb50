// Commits that are taken back by themselves.

#include <gtest/gtest.h>

#include <future>

#include "livetls/pki/self_signed.hpp"
#include "livetls/rotation/cert_manager.hpp"

namespace livetls {
namespace {

using namespace std::chrono_literals;

class TrialTest : public ::testing::Test {
 protected:
  Result<Receipt> commit(const CommitOptions& options) {
    return manager->stage({.default_identity = next}).value().commit(options);
  }

  bool is_rolled_back() {
    manager->attend();
    return manager->certificate() == first;
  }

  std::shared_ptr<CertManager> create(std::size_t history_limit) {
    return CertManager::create({.default_identity = first}, {.steady_now = [this] { return time; },
                                                             .history_limit = history_limit})
        .value();
  }

  void fail_handshakes(int count) {
    for (int i = 0; i < count; ++i) EXPECT_TRUE(manager->select({}));
  }

  void complete_handshakes(int count) {
    for (int i = 0; i < count; ++i) manager->select({}).value().seat.establish();
  }

  Certificate first = self_signed().value();
  Certificate next = self_signed().value();
  std::chrono::steady_clock::time_point time{};
  std::shared_ptr<CertManager> manager = create(1);
};

TEST_F(TrialTest, WithoutAConfirmationItIsRolledBack) {
  ASSERT_TRUE(commit({.confirm_within = 10s}));
  time += 9s;
  EXPECT_FALSE(is_rolled_back());
  time += 1s;
  EXPECT_TRUE(is_rolled_back());
  EXPECT_EQ(manager->generation(), 3U);
  EXPECT_EQ(manager->confirm().error(), Errc::nothing_to_confirm) << "too late";
}

TEST_F(TrialTest, AConfirmedCommitStays) {
  ASSERT_TRUE(commit({.confirm_within = 1h}));
  EXPECT_EQ(manager->certificate(), next) << "it is served while it is on trial";
  ASSERT_TRUE(manager->confirm());
  EXPECT_EQ(manager->confirm().error(), Errc::nothing_to_confirm);

  time += 2h;
  EXPECT_FALSE(is_rolled_back());
}

TEST_F(TrialTest, AManagerOnTheRealClockLooksByItself) {
  manager = CertManager::create(first).value();
  std::promise<void> rolled_back;
  const auto observation = manager->observe([&](const Event& event) {
    if (event.kind == EventKind::rolled_back) rolled_back.set_value();
  });
  ASSERT_TRUE(commit({.confirm_within = 1ms}));
  ASSERT_EQ(rolled_back.get_future().wait_for(20s), std::future_status::ready);
  EXPECT_EQ(manager->certificate(), first);
}

TEST_F(TrialTest, TooManyFailedHandshakesEndIt) {
  const CommitOptions options{.confirm_within = 1h, .max_failure_rate = 0.5, .min_handshakes = 4};
  ASSERT_TRUE(commit(options));
  complete_handshakes(1);
  fail_handshakes(2);
  EXPECT_FALSE(is_rolled_back()) << "too few to judge";
  fail_handshakes(1);
  EXPECT_TRUE(is_rolled_back());
}

TEST_F(TrialTest, FailuresOfTheGenerationBeforeDoNotCount) {
  fail_handshakes(100);
  ASSERT_TRUE(commit({.confirm_within = 1h, .max_failure_rate = 0.5, .min_handshakes = 4}));
  complete_handshakes(4);
  const auto uses = manager->generations_in_use();
  ASSERT_EQ(uses.size(), 2U);
  EXPECT_EQ(uses[0].totals.failed(), 100U);
  EXPECT_EQ(uses[1].totals.failed(), 0U);
  EXPECT_EQ(uses[1].totals.completed(), 4U);
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
  manager = create(0);
  EXPECT_THROW((void)commit({.confirm_within = 1h}), std::invalid_argument);
  EXPECT_TRUE(commit({}));
}

}  // namespace
}  // namespace livetls
