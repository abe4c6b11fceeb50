#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "livetls/net/listener.hpp"
#include "support/eventually.hpp"
#include "support/running_runtime.hpp"
#include "support/tell_what_is_served.hpp"
#include "support/test_ca.hpp"
#include "support/tls_client.hpp"

namespace livetls {
namespace {

using test::Told;

constexpr std::size_t kClients = 3;
constexpr std::size_t kHandshakesPerClient = 60;

/// Sums up what the clients of one run have seen.
struct Tally {
  std::atomic<std::uint64_t> handshakes = 0;
  std::atomic<std::uint64_t> failed = 0;
  std::atomic<std::uint64_t> stale = 0;
  std::atomic<std::uint64_t> mixed_up = 0;  // the server says another certificate than was received
  std::atomic<std::uint64_t> changed = 0;   // what was served changed while the connection was open
};

class RotationStressTest : public ::testing::Test {
 protected:
  /// One connection: a full handshake, and twice the question what was served.
  void visit(const Listener& listener, std::shared_ptr<const ClientContext> context, Tally& tally) {
    const std::uint64_t at_least = published;
    test::TlsClient client(listener.port(), std::move(context));
    if (client.handshake()) {
      ++tally.failed;
      return;
    }
    const Told first = test::ask_what_was_served(client);
    const Told second = test::ask_what_was_served(client);
    ++tally.handshakes;
    tally.stale += first.generation < at_least;
    tally.mixed_up += first.fingerprint != to_hex(client.tls().peer_certificate()->fingerprint);
    tally.changed +=
        second.generation != first.generation || second.fingerprint != first.fingerprint;
    client.vanish();
  }

  void visit_many_times(const Listener& listener, TlsVersion version, Tally& tally) {
    const auto context =
        ClientContext::create(
            {.roots = ca.roots(), .policy = {.min_version = version, .max_version = version}})
            .value();
    for (std::size_t i = 0; i < kHandshakesPerClient; ++i) {
      const std::uint64_t before = published;
      while (published == before) std::this_thread::yield();  // so that each meets an update
      try {
        visit(listener, context, tally);
      } catch (const std::exception& error) {
        ++tally.failed;
        ADD_FAILURE() << error.what();
      }
    }
  }

  test::TestCa ca;
  std::atomic<std::uint64_t> published = 1;  // the last generation whose update has returned
};

TEST_F(RotationStressTest, EveryHandshakeSucceedsOnTheLatestAndEveryOldSnapshotGoes) {
  const std::vector<Certificate> certificates = {ca.issue("A"), ca.issue("B", KeyType::rsa),
                                                 ca.issue("C", KeyType::ecdsa_p384)};
  const auto manager = CertManager::create(certificates[0]).value();
  test::RunningRuntime runtime;
  Listener https(runtime, manager, test::tell_what_is_served, {.address = "127.0.0.1"});
  Listener other(runtime, manager, test::tell_what_is_served, {.address = "127.0.0.1"});

  Tally tally;
  std::vector<std::weak_ptr<const Snapshot>> old;
  std::atomic<std::size_t> running = kClients;
  std::vector<std::thread> clients;
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.emplace_back([&, i] {
      const TlsVersion version = i == 0 ? TlsVersion::tls1_2 : TlsVersion::tls1_3;
      visit_many_times(i % 2 == 0 ? https : other, version, tally);
      --running;
    });
  }
  while (running > 0) {
    old.push_back(manager->snapshot());
    const auto receipt = manager->update(certificates[old.size() % certificates.size()]);
    ASSERT_TRUE(receipt);
    published = receipt->generation;
    std::this_thread::yield();
  }
  for (std::thread& client : clients) client.join();
  manager->forget_history();

  EXPECT_EQ(tally.failed, 0U);
  EXPECT_EQ(tally.stale, 0U);
  EXPECT_EQ(tally.mixed_up, 0U);
  EXPECT_EQ(tally.changed, 0U);
  EXPECT_EQ(tally.handshakes, kClients * kHandshakesPerClient);
  EXPECT_GE(old.size(), kHandshakesPerClient);
  EXPECT_TRUE(test::eventually([&] {
    return std::ranges::all_of(old, [](const auto& snapshot) { return snapshot.expired(); });
  })) << "an old snapshot, and with it its key, was never let go of";
}

}  // namespace
}  // namespace livetls
