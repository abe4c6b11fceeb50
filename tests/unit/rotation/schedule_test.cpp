// Plans that go live by themselves.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "livetls/pki/self_signed.hpp"
#include "livetls/rotation/cert_manager.hpp"

namespace livetls {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using ::testing::HasSubstr;

class ScheduleTest : public ::testing::Test {
 protected:
  Certificate certificate(const std::string& name = "localhost",
                          std::chrono::seconds valid_in = 0s) const {
    return self_signed({.names = {name}, .lifetime = days(30), .now = now + valid_in}).value();
  }

  /// Stages the current set with one identity changed, and schedules it.
  Scheduled schedule(const std::string& name, const Certificate& certificate) {
    CertSet set = manager->snapshot()->set();
    set.identities.insert_or_assign(name, certificate);
    return manager->stage(std::move(set)).value().schedule().value();
  }

  Certificate served(std::string_view name) const {
    ClientHello hello;
    hello.server_name = name;
    return manager->select(hello).value().context->certificate();
  }

  /// Of a certificate that is valid since `certificate` says so.
  static std::chrono::sys_seconds goes_live(const Certificate& certificate) {
    return certificate.leaf().not_before + 1min;
  }

  void attend_at(std::chrono::sys_seconds moment) {
    now = moment;
    manager->attend();
  }

  std::chrono::sys_seconds now = std::chrono::sys_days(std::chrono::year(2030) / 6 / 1);
  Certificate first = certificate();
  Certificate a = certificate("a.example"), b = certificate("b.example");
  std::shared_ptr<CertManager> manager =
      CertManager::create(
          {.default_identity = first, .identities = {{"a.example", a}, {"b.example", b}}},
          {.now = [this] { return now; }})
          .value();
};

TEST_F(ScheduleTest, OfAnotherIdentityThatHasExpiredItTakesNoNotice) {
  ASSERT_TRUE(
      manager->set("brief.example",
                   self_signed({.names = {"brief.example"}, .lifetime = 1h, .now = now}).value()));
  const Certificate future = certificate("a.example", days(3));
  const Scheduled scheduled = schedule("a.example", future);
  attend_at(scheduled.at);
  EXPECT_EQ(served("a.example"), future);
}

TEST_F(ScheduleTest, GoesLiveWhenItsCertificatesAreValidAndClientsClocksAgree) {
  const Certificate future = certificate("a.example", days(3));
  const Scheduled scheduled = schedule("a.example", future);
  EXPECT_EQ(scheduled.at, goes_live(future));
  ASSERT_EQ(manager->status().scheduled.size(), 1U);
  EXPECT_EQ(manager->status().scheduled[0].at, scheduled.at);

  attend_at(goes_live(future) - 1s);
  EXPECT_EQ(served("a.example"), a);
  attend_at(goes_live(future));
  EXPECT_EQ(served("a.example"), future);
  EXPECT_TRUE(manager->status().scheduled.empty());
  EXPECT_EQ(manager->generation(), 2U);
}

TEST_F(ScheduleTest, OneThatWouldBeRefusedForAnotherReasonIsNotScheduled) {
  auto plan = manager->stage({.default_identity = certificate("localhost", days(3))}).value();
  EXPECT_EQ(plan.commit().error(), Errc::plan_refused) << "not yet valid, and names are lost";
  EXPECT_EQ(plan.schedule().error(), Errc::plan_refused) << "names are lost";
  ASSERT_TRUE(plan.override_refusal("name_lost", "they moved"));
  EXPECT_EQ(plan.commit().error(), Errc::plan_refused) << "not yet valid";
  EXPECT_TRUE(plan.schedule());
}

TEST_F(ScheduleTest, WhatOthersPublishMeanwhileStays) {
  const Certificate future = certificate("a.example", days(3));
  schedule("a.example", future);
  const Certificate newer_b = certificate("b.example"), newer = certificate();
  ASSERT_TRUE(manager->set("b.example", newer_b));
  ASSERT_TRUE(manager->update(newer));
  ASSERT_TRUE(manager->set("c.example", certificate("c.example")));
  attend_at(goes_live(future));
  EXPECT_EQ(served("a.example"), future);
  EXPECT_EQ(served("b.example"), newer_b);
  EXPECT_EQ(served("localhost"), newer);
  EXPECT_EQ(manager->snapshot()->size(), 3U);
}

TEST_F(ScheduleTest, WhereTheSameWasChangedItIsRefusedAndTold) {
  const Certificate future = certificate("a.example", days(3)), other = certificate("a.example");
  schedule("a.example", future);
  ASSERT_TRUE(manager->set("a.example", other));
  attend_at(goes_live(future));
  EXPECT_EQ(served("a.example"), other);
  const Event event = manager->status().events.back();
  EXPECT_EQ(event.kind, EventKind::refused);
  EXPECT_THAT(event.detail, HasSubstr("a.example"));
}

TEST_F(ScheduleTest, SeveralGoLiveEachInItsTime) {
  const Certificate later = certificate("a.example", days(5)),
                    sooner = certificate("b.example", days(3));
  schedule("a.example", later);
  schedule("b.example", sooner);
  EXPECT_EQ(manager->status().scheduled.front().at, goes_live(sooner));
  attend_at(goes_live(sooner));
  EXPECT_EQ(served("b.example"), sooner);
  EXPECT_EQ(served("a.example"), a);
  attend_at(goes_live(later));
  EXPECT_EQ(served("a.example"), later);
}

TEST_F(ScheduleTest, CanBeTakenBack) {
  const Certificate future = certificate("a.example", days(3));
  const Scheduled scheduled = schedule("a.example", future);
  ASSERT_TRUE(manager->cancel_scheduled(scheduled.id));
  EXPECT_EQ(manager->cancel_scheduled(scheduled.id).error(), Errc::nothing_scheduled);
  attend_at(goes_live(future));
  EXPECT_EQ(served("a.example"), a);
}

TEST_F(ScheduleTest, ErasedNamesAndTrustAreCarriedOverToo) {
  CertSet set = manager->snapshot()->set();
  set.identities.erase("a.example");
  set.client_roots = TrustBundle::from_pem(first.to_pem()).value();
  auto plan = manager->stage(set).value();
  ASSERT_TRUE(plan.override_refusal("name_lost", "it is gone"));
  ASSERT_TRUE(plan.schedule({.not_before = now + days(1)}));
  ASSERT_TRUE(manager->set("c.example", certificate("c.example")));
  attend_at(now + days(1));
  const CertSet served_set = manager->snapshot()->set();
  EXPECT_EQ(served_set.identities.count("a.example"), 0U);
  EXPECT_EQ(served_set.identities.count("c.example"), 1U);
  EXPECT_TRUE(served_set.client_roots.has_value());
}

}  // namespace
}  // namespace livetls
