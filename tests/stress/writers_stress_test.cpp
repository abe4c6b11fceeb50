// Writers do everything that a manager can do, all at once, while clients come to several
// listeners. What was seen is compared at the end with what the writers were told that they have
// published.
//
// It takes a second. LIVETLS_STRESS_SECONDS=60 in the environment makes it last for a minute.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/use_future.hpp>
#include <cstdlib>
#include <future>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "livetls/net/listener.hpp"
#include "livetls/pki/certificate_authority.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "support/running_runtime.hpp"
#include "support/tell_what_is_served.hpp"
#include "support/tls_client.hpp"

namespace livetls {
namespace {

using namespace std::chrono_literals;
using test::TlsClient;
using test::Told;

constexpr std::size_t kVisitsPerClient = 200;
constexpr std::size_t kRevocations = 100;
constexpr std::array kAsked = {"localhost", "a.example", "www.b.example"};
constexpr std::array kServedAs = {"default", "a.example", "*.b.example"};

std::chrono::seconds duration() {
  const char* seconds = std::getenv("LIVETLS_STRESS_SECONDS");
  return std::chrono::seconds(seconds == nullptr ? 0 : std::atoi(seconds));
}

/// tell_what_is_served, and whether the client has shown a certificate that is trusted.
struct ToldMore : Told {
  bool verified;

  static Task<void> tell(Connection& connection) {
    std::array<char, 64> question;
    for (;;) {
      const auto read = co_await connection.read_some(boost::asio::buffer(question));
      if (!read || *read == 0) co_return;
      const std::string answer = text(connection) + (connection.peer_is_verified() ? '+' : '-');
      if (!co_await connection.write(answer)) co_return;
    }
  }

  static ToldMore ask(TlsClient& client) {
    client.send("?");
    const std::string answer = client.read(kTextSize + 1);
    return {parse(answer), answer.back() == '+'};
  }

  friend bool operator==(const ToldMore& a, const ToldMore& b) {
    return a.fingerprint == b.fingerprint && a.generation == b.generation &&
           a.verified == b.verified;
  }
};

/// What a client has seen of one connection.
struct Visit {
  std::size_t name;           // of kAsked
  bool anonymous;             // has no certificate to show
  std::uint64_t oldest;       // the last generation whose update had returned before it began
  std::uint64_t newest = 0;   // the current generation when it had ended
  bool revoking = false;      // a key was being revoked meanwhile
  std::string received = {};  // the certificate, unless the session was resumed
  std::optional<ToldMore> told = {};  // empty: it has failed
};

/// What a writer knows of a generation. Of an update of one name it does not know the rest.
struct Published {
  std::optional<bool> strict;  // clients must show a certificate
  std::map<std::string, std::string> fingerprints;
};

std::string fingerprint(const Certificate& certificate) {
  return to_hex(certificate.leaf().fingerprint);
}

class WritersStressTest : public ::testing::Test {
 protected:
  // ---- Writers

  Certificate issue(std::vector<std::string> names) const {
    return authority.issue({.names = std::move(names)}).value();
  }

  /// Its certificate is for all names: a name that was erased is served it.
  Certificate issue_default() const { return issue({"localhost", "a.example", "*.b.example"}); }

  CertSet fresh_set(bool strict) const {
    const ClientAuth mode = strict ? ClientAuth::require_and_verify : ClientAuth::none;
    return {.default_identity = Identity(issue_default()).with(mode),
            .identities = {{"a.example", Identity(issue({"a.example"})).with(mode)},
                           {"*.b.example", Identity(issue({"*.b.example"})).with(mode)}},
            .client_roots = clients.trust_bundle()};
  }

  void record(const Receipt& receipt, const CertSet& set) {
    Published facts{set.default_identity.client_auth != ClientAuth::none,
                    {{"default", fingerprint(set.default_identity.certificates[0])}}};
    for (const auto& [name, identity] : set.identities) {
      facts.fingerprints.emplace(name, fingerprint(identity.certificates[0]));
    }
    record(receipt, std::move(facts));
  }

  void record(const Receipt& receipt, Published facts) {
    const std::scoped_lock lock(mutex);
    published.emplace(receipt.generation, std::move(facts));
    newest_returned = std::max<std::uint64_t>(newest_returned, receipt.generation);
  }

  /// What writers may be told where others came first.
  static void expect_excusable(const Error& error) {
    EXPECT_TRUE(error == Errc::plan_outdated || error == Errc::nothing_to_roll_back_to ||
                error == Errc::unknown_identity || error == Errc::default_weaker_than_named ||
                error == Errc::nothing_to_confirm || error == Errc::certificate_revoked)
        << error.message();
  }

  void note(const Result<Receipt>& receipt, Published facts = {}) {
    if (receipt) return record(*receipt, std::move(facts));
    expect_excusable(receipt.error());
  }

  void update() {
    const CertSet set = fresh_set(dice() % 4 == 0);
    record(manager->update(set).value(), set);
  }

  void commit(const CommitOptions& options = {}) {
    const CertSet set = fresh_set(false);
    auto plan = manager->stage(set, lenient).value();
    if (dice() % 4 == 0) {
      EXPECT_TRUE(plan.prove().empty());
    }
    const auto receipt = plan.commit(options);
    if (receipt) return record(*receipt, set);
    expect_excusable(receipt.error());
  }

  void commit_on_trial() {
    commit({.confirm_within = 1h});
    if (const auto confirmed = manager->confirm(); !confirmed) expect_excusable(confirmed.error());
  }

  void abort() {
    const CertSet set = fresh_set(false);
    const auto plan = manager->stage(set, lenient).value();
    const std::scoped_lock lock(mutex);
    for (const auto& [name, identity] : set.identities) {
      aborted.insert(fingerprint(identity.certificates[0]));
    }
    aborted.insert(fingerprint(set.default_identity.certificates[0]));
  }

  void set_one() {
    const Certificate certificate = issue({"a.example"});
    const ClientAuth mode = manager->snapshot()->find_default().identity->identity().client_auth;
    note(manager->set("a.example", Identity(certificate).with(mode)),
         {{}, {{"a.example", fingerprint(certificate)}}});
  }

  void revoke() {
    if (++revocations_begun > kRevocations) return;
    const Certificate compromised = manager->certificate(), replacement = issue_default();
    const auto done = manager->revoke(compromised, {.replacement = replacement, .spread = 0s});
    if (!done) return expect_excusable(done.error());
    record(done->receipt, Published{});
    const std::scoped_lock lock(mutex);
    revoked.emplace(fingerprint(compromised), done->receipt.generation);
    revocations_done.fetch_add(1);
  }

  void write_one(std::size_t step) {
    switch (step % 10) {
      case 0: return update();
      case 1: return commit();
      case 2: return commit_on_trial();
      case 3: return abort();
      case 4: return set_one();
      case 5: return update();
      case 6: return note(manager->erase("a.example"));
      case 7: return note(manager->rollback());
      case 8: return step % 20 == 8 ? revoke() : update();
      case 9: return manager->attend();
    }
  }

  void write_until_clients_are_done() {
    for (std::size_t step = dice(); clients_running > 0; ++step) {
      {
        const std::scoped_lock lock(mutex);
        snapshots.push_back(manager->snapshot());
      }
      write_one(step);
      for (const std::size_t before = visits_done; visits_done == before && clients_running > 0;) {
        std::this_thread::yield();  // so that clients meet every state
      }
    }
  }

  /// A number of one thread's own.
  static unsigned dice() {
    static std::atomic<unsigned> seeds = 1;
    thread_local std::minstd_rand generator(seeds++);
    return static_cast<unsigned>(generator() >> 8);
  }

  // ---- Clients

  struct Client {
    const Listener& listener;
    std::shared_ptr<const ClientContext> context;
    bool anonymous;
    bool resumes = false;
  };

  Client client(const Listener& listener, TlsVersion version, bool anonymous) const {
    ClientOptions options{.roots = authority.trust_bundle(),
                          .policy = {.min_version = version, .max_version = version}};
    if (!anonymous) options.certificate = clients.issue({.names = {"client"}}).value();
    return {listener, ClientContext::create(std::move(options)).value(), anonymous};
  }

  void connect(const Client& client, Visit& visit) {
    TlsClient tls(client.listener.port(), client.context, kAsked[visit.name]);
    if (tls.handshake()) return;
    if (const auto certificate = tls.tls().peer_certificate()) {
      visit.received = to_hex(certificate->fingerprint);
    }
    try {
      const ToldMore told = ToldMore::ask(tls);
      EXPECT_EQ(told, ToldMore::ask(tls)) << "what is served changed";
      visit.told = told;
    } catch (const boost::system::system_error&) {
      // refused in TLS 1.3, or ended by a revocation: to be judged later
    }
    tls.vanish();
  }

  void visit_many_times(const Client& client, std::vector<Visit>& visits) {
    TlsClient kept(client.listener.port(), client.context, "a.example");
    ASSERT_FALSE(kept.handshake());
    const ToldMore at_first = ToldMore::ask(kept);
    const auto until = std::chrono::steady_clock::now() + duration();
    while (visits.size() < kVisitsPerClient || std::chrono::steady_clock::now() < until) {
      Visit visit{visits.size() % kAsked.size(), client.anonymous, newest_returned};
      const std::size_t revoked_before = revocations_done;
      connect(client, visit);
      visit.revoking = revocations_begun != revoked_before;
      visit.newest = manager->generation();
      visits.push_back(std::move(visit));
      EXPECT_EQ(at_first, ToldMore::ask(kept)) << "what an open connection was served changed";
      ++visits_done;
    }
    kept.vanish();
  }

  // ---- What must hold

  void check(const Visit& visit) {
    if (!visit.told) return check_failed(visit);
    const ToldMore& told = *visit.told;
    EXPECT_GE(told.generation, visit.oldest) << "stale";
    EXPECT_LE(told.generation, visit.newest);
    if (!visit.received.empty()) {
      EXPECT_EQ(told.fingerprint, visit.received) << "mixed up";
    }
    EXPECT_FALSE(aborted.contains(told.fingerprint)) << "served what was never committed";
    if (const auto found = revoked.find(told.fingerprint); found != revoked.end()) {
      EXPECT_LT(told.generation, found->second) << "served a revoked key";
    }
    const auto facts = published.find(told.generation);
    if (facts == published.end()) return;
    const auto [strict, fingerprints] = facts->second;
    if (strict) {
      EXPECT_EQ(told.verified, *strict) << "a certificate without its policy";
    }
    const auto expected = fingerprints.find(kServedAs[visit.name]);
    if (expected != fingerprints.end()) {
      EXPECT_EQ(told.fingerprint, expected->second);
    }
    ++compared;
  }

  /// For an anonymous client that met, or may have met, a strict generation; or whose connection
  /// was being ended with a revoked key.
  void check_failed(const Visit& visit) {
    ++refused;
    bool excused = visit.revoking;
    for (std::uint64_t g = visit.oldest; g <= visit.newest && !excused; ++g) {
      const auto facts = published.find(g);
      excused = visit.anonymous && (facts == published.end() || facts->second.strict != false);
    }
    EXPECT_TRUE(excused) << "failed without reason, between generations " << visit.oldest << " and "
                         << visit.newest;
  }

  /// All connections under one name and generation must have been served alike.
  static void check_alike(const std::vector<Visit>& visits) {
    std::map<std::pair<std::uint64_t, std::size_t>, const ToldMore*> seen;
    for (const Visit& visit : visits) {
      if (!visit.told) continue;
      const auto [first, is_new] =
          seen.emplace(std::pair(visit.told->generation, visit.name), &*visit.told);
      EXPECT_EQ(first->second->fingerprint, visit.told->fingerprint) << "half an update";
    }
  }

  CertificateAuthority authority = CertificateAuthority::create().value();
  CertificateAuthority clients = CertificateAuthority::create({.organization = "Clients"}).value();
  const StagingPolicy lenient{{{FindingKind::name_lost, Severity::warning},
                               {FindingKind::client_auth_weakened, Severity::warning}}};
  std::shared_ptr<CertManager> manager =
      CertManager::create(fresh_set(false), {.history_limit = 3}).value();

  std::mutex mutex;
  std::map<std::uint64_t, Published> published;
  std::set<std::string> aborted;                 // certificates
  std::map<std::string, std::uint64_t> revoked;  // and since when
  std::vector<std::weak_ptr<const Snapshot>> snapshots;

  std::atomic<std::uint64_t> newest_returned = 1;
  std::atomic<std::size_t> revocations_begun = 0, revocations_done = 0;
  std::atomic<std::size_t> visits_done = 0, clients_running = 0;
  std::size_t compared = 0, refused = 0;
};

TEST_F(WritersStressTest, WhateverWritersDoEveryConnectionIsServedOneGenerationWhole) {
  test::RunningRuntime runtime;
  const Listener first(runtime, manager, ToldMore::tell, {.address = "127.0.0.1"});
  const Listener second(runtime, manager, ToldMore::tell, {.address = "127.0.0.1"});
  const Listener third(runtime, manager, ToldMore::tell, {.address = "127.0.0.1"});
  const std::vector<Client> all = {
      client(first, TlsVersion::tls1_2, true), client(second, TlsVersion::tls1_3, true),
      client(third, TlsVersion::tls1_3, false), client(first, TlsVersion::tls1_2, false)};
  std::vector<std::vector<Visit>> visits(all.size());
  clients_running = all.size();
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < all.size(); ++i) {
    threads.emplace_back([&, i] {
      visit_many_times(all[i], visits[i]);
      --clients_running;
    });
  }
  for (int i = 0; i < 3; ++i) threads.emplace_back([&] { write_until_clients_are_done(); });
  for (std::thread& thread : threads) thread.join();

  std::vector<Visit> together;
  for (const auto& of_one : visits) std::ranges::copy(of_one, std::back_inserter(together));
  std::ranges::for_each(together, [this](const Visit& visit) { check(visit); });
  check_alike(together);
  EXPECT_GT(compared, refused) << "it was hardly about what is served";
  EXPECT_GT(revoked.size(), 0U);

  const Receipt last = manager->update(fresh_set(false)).value();
  manager->forget_history();
  EXPECT_NO_THROW(last.async_erased(20s, boost::asio::use_future).get());
  EXPECT_TRUE(std::ranges::all_of(snapshots, [](const auto& old) { return old.expired(); }))
      << "an old snapshot, and with it its key, was never let go of";
  std::cout << together.size() << " connections, " << refused << " of them refused, over "
            << last.generation << " generations, " << revoked.size() << " keys revoked\n";
}

}  // namespace
}  // namespace livetls
