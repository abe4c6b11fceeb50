// What a manager tells of itself: events, their log, and its status.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>

#include "livetls/pki/self_signed.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "support/eventually.hpp"

namespace livetls {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class EventsTest : public ::testing::Test {
 protected:
  Certificate certificate(std::vector<std::string> names = {"localhost"},
                          std::chrono::seconds lifetime = days(30)) const {
    return self_signed({.names = std::move(names), .lifetime = lifetime, .now = now}).value();
  }

  CertManager::Options options() const {
    return {.now = [this] { return now; },
            .steady_now = [this] { return time; },
            .session_tickets = false};
  }

  /// What happened since this was called last.
  std::vector<EventKind> news() {
    std::vector<EventKind> kinds;
    const auto events = manager->status().events;
    for (std::size_t i = seen; i < events.size(); ++i) kinds.push_back(events[i].kind);
    seen = events.size();
    return kinds;
  }

  Event last() { return manager->status().events.back(); }

  /// The latest of its kind.
  Event last(EventKind kind) {
    const auto events = manager->status().events;
    const auto found = std::find_if(events.rbegin(), events.rend(),
                                    [kind](const Event& event) { return event.kind == kind; });
    if (found == events.rend()) throw std::runtime_error("no such event");
    return *found;
  }

  std::chrono::sys_seconds now = std::chrono::sys_days(std::chrono::year(2030) / 6 / 1);
  std::chrono::steady_clock::time_point time{};
  std::size_t seen = 0;
  std::shared_ptr<CertManager> manager =
      CertManager::create({.default_identity = certificate()}, options()).value();
};

TEST_F(EventsTest, AnUpdateIsCommittedAndWhatWasBeforeGoesOutOfUse) {
  ASSERT_TRUE(manager->update(certificate()));
  EXPECT_THAT(news(), ElementsAre(EventKind::quiesced, EventKind::drained, EventKind::committed));
  EXPECT_EQ(last().generation, 2U);
  manager->forget_history();
  EXPECT_THAT(news(), ElementsAre(EventKind::erased));
}

TEST_F(EventsTest, GenerationsInUseAreNotDrainedBeforeTheyAre) {
  auto served = std::make_unique<Served>(manager->select({}).value());
  ASSERT_TRUE(manager->update(certificate()));
  EXPECT_THAT(news(), ElementsAre(EventKind::committed));
  served->seat.establish();
  EXPECT_THAT(news(), ElementsAre(EventKind::quiesced));
  served.reset();
  EXPECT_THAT(news(), ElementsAre(EventKind::drained));
}

TEST_F(EventsTest, WhyAnUpdateWasRefusedIsTold) {
  const Certificate short_lived = certificate({"localhost"}, days(1));
  now += days(2);
  ASSERT_FALSE(manager->update(short_lived));
  EXPECT_THAT(news(), ElementsAre(EventKind::refused));
  EXPECT_THAT(last().message(), HasSubstr("expired"));
}

TEST_F(EventsTest, APlansOverriddenRefusalsAreRecordedWithTheReason) {
  auto plan = manager->stage({.default_identity = certificate({"other.example"})}).value();
  EXPECT_EQ(plan.commit().error(), Errc::plan_refused);
  ASSERT_TRUE(plan.override_refusal("name_lost", "the service has moved"));
  ASSERT_TRUE(plan.commit());
  EXPECT_THAT(news(), ElementsAre(EventKind::staged, EventKind::refused, EventKind::quiesced,
                                  EventKind::drained, EventKind::committed));
  EXPECT_THAT(last().detail, HasSubstr("name_lost"));
  EXPECT_THAT(last().detail, HasSubstr("the service has moved"));
}

TEST_F(EventsTest, TrialsEndConfirmedOrRolledBack) {
  const CertSet next{.default_identity = certificate()};
  ASSERT_TRUE(manager->stage(next).value().commit({.confirm_within = 1min}));
  ASSERT_TRUE(manager->status().trial.has_value());
  ASSERT_TRUE(manager->confirm());
  EXPECT_EQ(last().kind, EventKind::confirmed);
  EXPECT_FALSE(manager->status().trial.has_value());

  ASSERT_TRUE(manager->stage(next).value().commit({.confirm_within = 1min}));
  time += 1min;
  manager->attend();
  EXPECT_THAT(last(EventKind::rolled_back).detail, HasSubstr("in time"));
}

TEST_F(EventsTest, ACertificateExpiresSoonOnceForEachThreshold) {
  manager->attend();
  EXPECT_THAT(news(), ElementsAre());
  now += days(17);  // 13 are left
  manager->attend();
  EXPECT_EQ(last().kind, EventKind::expiring);
  EXPECT_THAT(last().detail, HasSubstr("default"));
  EXPECT_THAT(last().detail, HasSubstr("13 days"));
  news();
  now += days(1);
  manager->attend();
  EXPECT_THAT(news(), ElementsAre()) << "told already";
  now += days(6);
  manager->attend();
  EXPECT_THAT(news(), ElementsAre(EventKind::expiring)) << "below seven days";

  ASSERT_TRUE(manager->update(certificate()));
  news();
  manager->attend();
  EXPECT_THAT(news(), ElementsAre()) << "what is served now is fresh";
}

TEST_F(EventsTest, ANewTicketEpochIsTold) {
  auto with_tickets = options();
  with_tickets.session_tickets = true;
  manager = CertManager::create({.default_identity = certificate()}, with_tickets).value();
  manager->attend();
  news();
  now += 9h;
  manager->attend();
  EXPECT_THAT(news(), ElementsAre(EventKind::ticket_epoch));
  manager->attend();
  EXPECT_THAT(news(), ElementsAre());
}

TEST_F(EventsTest, AnObserverMayBeTheLastToLetGoOfTheManager) {
  std::promise<void> held, let_go;
  std::atomic<bool> first = true;
  std::weak_ptr<CertManager> weak = manager;
  const auto observation = manager->observe([&](const Event&) {
    if (!first.exchange(false)) return;
    auto last = weak.lock();
    held.set_value();
    let_go.get_future().wait();
    last.reset();
  });
  ASSERT_TRUE(manager->update(certificate()));
  held.get_future().wait();
  manager.reset();
  let_go.set_value();
  EXPECT_TRUE(test::eventually([&] { return weak.expired(); }));
}

TEST_F(EventsTest, TheLogIsBounded) {
  auto few = options();
  few.event_limit = 3;
  manager = CertManager::create({.default_identity = certificate()}, few).value();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(manager->update(certificate()));
  EXPECT_EQ(manager->status().events.size(), 3U);
  EXPECT_EQ(last().generation, 11U);
}

TEST_F(EventsTest, ObserversAreToldInOrderOnAnotherThreadAndUntilTheyAreNot) {
  std::vector<std::uint64_t> told;
  std::promise<std::thread::id> third;
  auto observation = manager->observe([&](const Event& event) {
    if (event.kind != EventKind::committed) return;
    told.push_back(event.generation);
    if (told.size() == 3) third.set_value(std::this_thread::get_id());
  });
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(manager->update(certificate()));
  auto done = third.get_future();
  ASSERT_EQ(done.wait_for(20s), std::future_status::ready);
  EXPECT_NE(done.get(), std::this_thread::get_id());

  observation = {};
  std::promise<void> later;
  const auto other = manager->observe([&](const Event& event) {
    if (event.kind == EventKind::committed) later.set_value();
  });
  ASSERT_TRUE(manager->update(certificate()));
  ASSERT_EQ(later.get_future().wait_for(20s), std::future_status::ready);
  EXPECT_THAT(told, ElementsAre(2, 3, 4));
}

TEST_F(EventsTest, AnObserverThatBlocksHoldsUpNobody) {
  std::promise<void> release;
  const auto observation =
      manager->observe([wait = release.get_future().share()](const Event&) { wait.wait(); });
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(manager->update(certificate()));
  EXPECT_TRUE(manager->select({}));
  release.set_value();
}

TEST_F(EventsTest, AnObserverThatThrowsIsToldTheNextEventToo) {
  std::promise<void> second;
  int calls = 0;
  const auto observation = manager->observe([&](const Event& event) {
    if (event.kind != EventKind::committed) return;
    if (++calls == 2) second.set_value();
    throw std::runtime_error("no room on the pager");
  });
  ASSERT_TRUE(manager->update(certificate()));
  ASSERT_TRUE(manager->update(certificate()));
  EXPECT_EQ(second.get_future().wait_for(20s), std::future_status::ready);
}

TEST_F(EventsTest, StatusIsReadFromWhatIsServedNow) {
  ASSERT_TRUE(manager->set("b.example", certificate({"b.example"}, days(5))));
  ASSERT_TRUE(manager->set("a.example", certificate({"a.example"}, days(20))));
  now += days(2);
  const Status status = manager->status();
  EXPECT_EQ(status.generation, 3U);
  ASSERT_EQ(status.identities.size(), 3U);
  EXPECT_EQ(status.identities[0].name, "default");
  EXPECT_EQ(status.identities[1].name, "a.example");
  EXPECT_EQ(status.identities[1].certificates.at(0).days_left, 18);
  EXPECT_EQ(status.identities[2].certificates.at(0).days_left, 3);
  EXPECT_EQ(status.history, 1U);
  EXPECT_FALSE(status.ticket_epoch_until.has_value());

  ASSERT_TRUE(manager->set("b.example", certificate({"b.example"}, days(40))));
  EXPECT_EQ(manager->status().identities[2].certificates.at(0).days_left, 40)
      << "nothing of the old one lingers";
}

}  // namespace
}  // namespace livetls
