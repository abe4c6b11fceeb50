// Nodes that link to each other over mutual TLS, within one process.

#include "livetls/node/node.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json/array.hpp>
#include <future>
#include <map>
#include <mutex>

#include "livetls/tcp/server.hpp"
#include "support/captured_log.hpp"
#include "support/eventually.hpp"
#include "support/gate.hpp"
#include "support/running_runtime.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_ca.hpp"

namespace livetls::node {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kA = "a@localhost";
constexpr const char* kB = "b@localhost";

class NodeTest : public testing::Test {
 protected:
  CertSet set_of(const std::string& organization) const {
    return {
        .default_identity = Identity(ca_.issue(organization)).with(ClientAuth::require_and_verify),
        .client_roots = ca_.roots()};
  }

  std::shared_ptr<CertManager> manager_of(const std::string& organization) const {
    return CertManager::create(set_of(organization)).value();
  }

  NodeOptions options_for_b() {
    NodeOptions options{.cert_manager = manager_b_, .acceptors = {{}}, .cookie = "secret"};
    options.services.messages["note"] = [this](Message message) -> Task<void> {
      const std::scoped_lock lock(mutex_);
      notes_.push_back(message.payload.bytes());
      co_return;
    };
    options.services.requests["whoami"] = [](Message message) -> Task<Result<Payload>> {
      const Peer& peer = *message.from;
      co_return Payload(peer.name.text() + " " +
                        (peer.is_verified ? peer.certificate->subject : "nobody"));
    };
    options.services.requests["add"] = [](Message message) -> Task<Result<Payload>> {
      const auto numbers = message.payload.json();
      if (!numbers || !numbers->is_array()) co_return Error(Errc::input_empty, "no numbers");
      std::int64_t sum = 0;
      for (const auto& number : numbers->get_array()) sum += number.to_number<std::int64_t>();
      co_return Payload(boost::json::value(sum));
    };
    options.services.requests["throw"] = [](Message) -> Task<Result<Payload>> {
      throw std::runtime_error("internal");
      co_return Payload();
    };
    options.services.requests["wait"] = [this](Message) -> Task<Result<Payload>> {
      co_await gate_.pass();
      co_return Payload("waited");
    };
    options.services.events["count"] = [](Message message, EventWriter& out) -> Task<void> {
      const int last = std::stoi(message.payload.bytes());
      for (int i = 1; i <= last; ++i) {
        const auto written = co_await out.write(std::to_string(i));
        if (!written) co_return;
      }
    };
    return options;
  }

  NodeOptions options_for_a(const Node& b) {
    return {.cert_manager = manager_a_,
            .routes = {{.pattern = kB, .port = b.ports().at(0)}},
            .cookie = "secret",
            .reconnect_min = 1ms};
  }

  template <class T>
  T wait(Task<T> task) {
    return boost::asio::co_spawn(runtime_->executor(0), std::move(task), boost::asio::use_future)
        .get();
  }

  std::string ask(Node& from, std::string service, Payload payload = {}, SendOptions options = {}) {
    const auto reply = wait(from.request(kB, std::move(service), std::move(payload), options));
    return reply ? reply->bytes() : reply.error().message();
  }

  Error error_of(Node& from, std::string service = "whoami") {
    const auto reply = wait(from.request(kB, std::move(service), "", {.timeout = 5s}));
    return reply ? Error() : reply.error();
  }

  std::string socket_file(int number) const {
    return (directory_ / ("a" + std::to_string(number))).string();
  }

  std::vector<std::string> notes() {
    const std::scoped_lock lock(mutex_);
    return notes_;
  }

  const test::TemporaryDirectory directory_;
  const test::TestCa ca_;
  const test::CapturedLog log_;
  const std::shared_ptr<CertManager> manager_a_ = manager_of("a1");
  const std::shared_ptr<CertManager> manager_b_ = manager_of("b1");
  std::mutex mutex_;
  std::vector<std::string> notes_;
  test::Gate gate_;
  test::RunningRuntime runtime_;
};

TEST_F(NodeTest, AsksAnotherOverMutualTls) {
  Node b(runtime_, kB, options_for_b());
  Node a(runtime_, kA, options_for_a(b));
  EXPECT_THAT(ask(a, "whoami"), AllOf(HasSubstr(kA), HasSubstr("O=a1")));
  EXPECT_EQ(ask(a, "add", boost::json::value{1, 2, 39}), "42");
  ASSERT_EQ(a.peers().size(), 1U);
  EXPECT_TRUE(a.peers()[0].is_verified);
  EXPECT_THAT(a.peers()[0].certificate->subject, HasSubstr("O=b1"));
  EXPECT_EQ(a.counters().dialled, 1U) << "one link for all";
  EXPECT_EQ(b.counters().accepted, 1U);
}

TEST_F(NodeTest, IsToldWhatWentWrongAndNothingInternal) {
  Node b(runtime_, kB, options_for_b());
  Node a(runtime_, kA, options_for_a(b));
  const Error failed = error_of(a, "add");
  EXPECT_EQ(failed.code, NodeErrc::handler_failed);
  EXPECT_THAT(failed.context, HasSubstr("no numbers"));
  const Error threw = error_of(a, "throw");
  EXPECT_EQ(threw.code, NodeErrc::handler_failed);
  EXPECT_THAT(threw.context, Not(HasSubstr("internal")));
  EXPECT_EQ(error_of(a, "no such").code, NodeErrc::unknown_service);
  EXPECT_EQ(b.counters().failed_handlers, 1U);
  EXPECT_EQ(b.counters().unknown_services, 1U);
}

TEST_F(NodeTest, MessagesOfAStreamArriveInOrder) {
  Node b(runtime_, kB, options_for_b());
  NodeOptions options = options_for_a(b);
  options.routes[0].connections = 3;
  Node a(runtime_, kA, std::move(options));
  const auto send_all = [](Node& node) -> Task<bool> {
    for (int i = 0; i < 2000; ++i) {
      const auto stream = static_cast<std::uint32_t>(i % 5);
      const auto sent = co_await node.send(kB, "note", std::to_string(i), {.stream = stream});
      if (!sent) co_return false;
    }
    co_return true;
  };
  EXPECT_TRUE(wait(send_all(a)));
  ASSERT_TRUE(eventually([&] { return notes().size() == 2000; })) << notes().size();
  std::map<int, int> last;
  for (const std::string& note : notes()) {
    const int number = std::stoi(note);
    EXPECT_GT(number, last.try_emplace(number % 5, -1).first->second);
    last[number % 5] = number;
  }
  EXPECT_EQ(b.counters().accepted, 3U);
}

TEST_F(NodeTest, AHandlerThatThrowsWhateverHarmsNoOtherMessage) {
  NodeOptions options = options_for_b();
  options.services.messages["throw"] = [](Message message) -> Task<void> {
    if (message.payload.bytes() == "a number") throw 42;
    if (message.payload.bytes() == "cancelled") {
      throw boost::system::system_error(boost::asio::error::operation_aborted);
    }
    throw std::runtime_error("internal");
    co_return;
  };
  Node b(runtime_, kB, std::move(options));
  Node a(runtime_, kA, options_for_a(b));
  for (const char* what : {"a number", "cancelled", "anything"}) {
    EXPECT_TRUE(wait(a.send(kB, "throw", what)));
  }
  EXPECT_TRUE(wait(a.send(kB, "note", "behind them")));
  EXPECT_TRUE(eventually([&] { return notes().size() == 1; }));
  EXPECT_EQ(b.counters().failed_handlers, 3U);
}

TEST_F(NodeTest, MessagesAreNoLargerThanWhoTakesThemAllows) {
  NodeOptions options = options_for_b();
  options.max_message_bytes = 1000;
  options.services.requests["large"] = [](Message message) -> Task<Result<Payload>> {
    co_return Payload(std::string(std::stoul(message.payload.bytes()), 'x'));
  };
  Node b(runtime_, kB, std::move(options));
  NodeOptions caller = options_for_a(b);
  caller.max_message_bytes = 2000;
  Node a(runtime_, kA, std::move(caller));
  EXPECT_TRUE(wait(a.send(kB, "note", std::string(1000, 'x'))));
  EXPECT_EQ(wait(a.send(kB, "note", std::string(1001, 'x'))).error().code,
            NodeErrc::message_too_large);
  EXPECT_EQ(ask(a, "large", "2000").size(), 2000U);
  EXPECT_THAT(ask(a, "large", "2001"), HasSubstr("too large"));
  EXPECT_TRUE(eventually([&] { return notes().size() == 1; }));
}

TEST_F(NodeTest, EventsComeAsTheyAreTaken) {
  Node b(runtime_, kB, options_for_b());
  Node a(runtime_, kA, options_for_a(b));
  const auto count = [](Node& node) -> Task<int> {
    auto events = co_await node.subscribe(kB, "count", "1000");
    if (!events) co_return -1;
    int expected = 0;
    while (true) {
      const auto event = co_await events->next();
      if (!event) co_return -2;
      if (!*event) co_return expected;
      if ((*event)->bytes() != std::to_string(++expected)) co_return -3;
    }
  };
  EXPECT_EQ(wait(count(a)), 1000);
}

TEST_F(NodeTest, EventsWaitUntilTheyAreTaken) {
  std::atomic<int> written = 0;
  NodeOptions options = options_for_b();
  options.services.events["endless"] = [&](Message, EventWriter& out) -> Task<void> {
    while (true) {
      const auto done = co_await out.write("event");
      if (!done) co_return;
      ++written;
    }
  };
  Node b(runtime_, kB, std::move(options));
  Node a(runtime_, kA, options_for_a(b));
  std::optional<Subscription> events;
  const auto subscribe = [](Node& node, std::optional<Subscription>& to) -> Task<bool> {
    auto subscribed = co_await node.subscribe(kB, "endless", "");
    if (subscribed) to.emplace(std::move(*subscribed));
    co_return to.has_value();
  };
  ASSERT_TRUE(wait(subscribe(a, events)));
  EXPECT_TRUE(eventually([&] { return written == 64; }));
  EXPECT_THAT(ask(a, "whoami"), HasSubstr("O=a1"));
  EXPECT_EQ(written, 64) << "nobody takes any";
  for (int i = 0; i < 32; ++i) EXPECT_TRUE(wait(events->next()).value());
  EXPECT_TRUE(eventually([&] { return written == 96; })) << written;
}

TEST_F(NodeTest, WhoWaitsForEventsNoMoreEndsThem) {
  std::atomic<bool> cancelled = false;
  NodeOptions options = options_for_b();
  options.services.events["endless"] = [&](Message, EventWriter& out) -> Task<void> {
    while (true) {
      const auto written = co_await out.write("x");
      if (written) continue;
      cancelled = written.error().code == NodeErrc::cancelled;
      co_return;
    }
  };
  Node b(runtime_, kB, std::move(options));
  Node a(runtime_, kA, options_for_a(b));
  const auto take_one = [](Node& node) -> Task<bool> {
    auto events = co_await node.subscribe(kB, "endless", "");
    if (!events) co_return false;
    const auto event = co_await events->next();
    co_return event && event->has_value();
  };
  EXPECT_TRUE(wait(take_one(a)));
  EXPECT_TRUE(eventually([&] { return cancelled.load(); }));
}

TEST_F(NodeTest, RefusesEachWithItsOwnError) {
  Node b(runtime_, kB, options_for_b());
  const auto error_with = [&](auto change) {
    NodeOptions options = options_for_a(b);
    change(options);
    Node a(runtime_, kA, std::move(options));
    return error_of(a);
  };
  EXPECT_EQ(error_with([](NodeOptions& o) { o.cookie = "other"; }).code, NodeErrc::wrong_cookie);
  EXPECT_EQ(error_with([](NodeOptions& o) { o.routes.clear(); }).code, NodeErrc::no_route);
  EXPECT_EQ(error_with([](NodeOptions& o) { o.routes[0].server_name = "other.example"; }).code,
            Errc::peer_name_mismatch);
  const test::TestCa other;
  EXPECT_EQ(error_with([&](NodeOptions& o) { o.routes[0].roots = other.roots(); }).code,
            Errc::peer_untrusted);
  const auto stranger = [&](NodeOptions& o) {
    CertSet set = set_of("stranger");
    set.default_identity.certificates = {other.issue("stranger")};
    o.cert_manager = CertManager::create(std::move(set)).value();
  };
  EXPECT_EQ(error_with(stranger).code, Errc::alert_received);
  const auto elsewhere = [&](NodeOptions& o) {
    CertSet set = set_of("elsewhere");
    set.default_identity.certificates = {ca_.issue_for("elsewhere.example")};
    o.cert_manager = CertManager::create(std::move(set)).value();
  };
  EXPECT_EQ(error_with(elsewhere).code, NodeErrc::host_not_certified);
  EXPECT_EQ(b.counters().links, 0U);
  EXPECT_EQ(b.counters().messages_received, 0U);
}

TEST_F(NodeTest, RoutesAndAcceptorsMayHaveCookiesOfTheirOwn) {
  NodeOptions options = options_for_b();
  options.acceptors[0].cookie = "of partners";
  Node b(runtime_, kB, std::move(options));
  Node a(runtime_, kA, options_for_a(b));
  EXPECT_EQ(error_of(a).code, NodeErrc::wrong_cookie);
  NodeOptions partner = options_for_a(b);
  partner.routes[0].cookie = "of partners";
  Node c(runtime_, "c@localhost", std::move(partner));
  EXPECT_THAT(ask(c, "whoami"), HasSubstr("c@localhost"));
}

TEST_F(NodeTest, RoutesAndAcceptorsMayHaveCertificatesOfTheirOwn) {
  NodeOptions options = options_for_b();
  options.acceptors[0].cert_manager = manager_of("b's door");
  Node b(runtime_, kB, std::move(options));
  NodeOptions caller = options_for_a(b);
  caller.routes[0].cert_manager = manager_of("a's other face");
  Node a(runtime_, kA, std::move(caller));
  EXPECT_THAT(ask(a, "whoami"), HasSubstr("O=a's other face"));
  EXPECT_THAT(a.peers().at(0).certificate.value().subject, HasSubstr("O=b's door"));
}

TEST_F(NodeTest, TheHeaviestRouteIsTriedFirstAndThenTheNext) {
  NodeOptions strict_options = options_for_b();
  strict_options.cookie = "other";
  Node strict(runtime_, kB, std::move(strict_options));
  Node b(runtime_, kB, options_for_b());
  NodeOptions options = options_for_a(b);
  options.routes.push_back({.pattern = "*@localhost", .port = strict.ports()[0], .weight = 2});
  Node a(runtime_, kA, std::move(options));
  EXPECT_THAT(ask(a, "whoami"), HasSubstr("O=a1"));
  EXPECT_EQ(strict.counters().refused, 1U);
  EXPECT_EQ(b.counters().accepted, 1U);
}

TEST_F(NodeTest, RefusesWhomTheManagerWouldLetInUnverified) {
  CertSet set = set_of("b1");
  set.default_identity.client_auth = ClientAuth::request;
  NodeOptions options = options_for_b();
  options.cert_manager = CertManager::create(std::move(set)).value();
  Node b(runtime_, kB, std::move(options));
  const test::TestCa other;
  CertSet strange = set_of("stranger");
  strange.default_identity.certificates = {other.issue("stranger")};
  NodeOptions caller = options_for_a(b);
  caller.cert_manager = CertManager::create(std::move(strange)).value();
  Node a(runtime_, kA, std::move(caller));
  EXPECT_EQ(error_of(a).code, NodeErrc::peer_not_verified);
}

TEST_F(NodeTest, CertificatesRotateWithoutTheLinkNoticing) {
  Node b(runtime_, kB, options_for_b());
  Node a(runtime_, kA, options_for_a(b));
  EXPECT_THAT(ask(a, "whoami"), HasSubstr("O=a1"));
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(manager_a_->update(set_of("a" + std::to_string(i + 2))));
    ASSERT_TRUE(manager_b_->update(set_of("b" + std::to_string(i + 2))));
    EXPECT_THAT(ask(a, "whoami"), HasSubstr("O=a1"));
  }
  EXPECT_EQ(a.counters().dialled, 1U);
  EXPECT_EQ(a.peers()[0].generation, 1U);

  Node c(runtime_, "c@localhost", options_for_a(b));
  EXPECT_THAT(ask(c, "whoami"), HasSubstr("O=a6")) << "a new link has the new one";
  EXPECT_THAT(c.peers()[0].certificate->subject, HasSubstr("O=b6"));
  EXPECT_EQ(c.peers()[0].generation, 6U);
  EXPECT_EQ(c.peers()[0].our_generation, 6U);
}

TEST_F(NodeTest, AuthoritiesRotateWithTheCertificates) {
  Node b(runtime_, kB, options_for_b());
  const test::TestCa next;
  const auto of_next = [&](const char* organization) {
    return CertSet{
        .default_identity = Identity(next.issue(organization)).with(ClientAuth::require_and_verify),
        .client_roots = next.roots()};
  };
  ASSERT_TRUE(manager_b_->update(of_next("b2")));
  Node a(runtime_, kA, options_for_a(b));
  EXPECT_EQ(error_of(a).code, Errc::peer_untrusted);
  ASSERT_TRUE(manager_a_->update(of_next("a2")));
  EXPECT_THAT(ask(a, "whoami"), HasSubstr("O=a2"));
}

TEST_F(NodeTest, ADrainMovesTheLinkToTheNewCertificateAndLosesNothing) {
  Node b(runtime_, kB, options_for_b());
  Node a(runtime_, kA, options_for_a(b));
  EXPECT_THAT(ask(a, "whoami"), HasSubstr("O=a1"));
  std::atomic<bool> ended = false;
  const auto send_on = [&ended](Node& node) -> Task<int> {
    int sent = 0;
    while (!ended) {
      const auto done = co_await node.send(kB, "note", std::to_string(sent));
      EXPECT_TRUE(done) << done.error().message();
      if (!done) break;
      ++sent;
    }
    co_return sent;
  };
  auto sending = boost::asio::co_spawn(runtime_->executor(1), send_on(a), boost::asio::use_future);
  for (int i = 2; i < 12; ++i) {
    ASSERT_TRUE(manager_a_->update(set_of("a" + std::to_string(i))));
    const Certificate old = manager_b_->certificate();
    ASSERT_TRUE(manager_b_->update(set_of("b" + std::to_string(i))));
    const auto revoked = manager_b_->revoke(old, {.spread = 0s});
    ASSERT_TRUE(revoked) << revoked.error().message();
    ASSERT_TRUE(eventually([&] { return revoked->connections().open() == 0; }));
    EXPECT_EQ(revoked->connections().cut, 0U);
  }
  ended = true;
  const int sent = sending.get();
  ASSERT_GT(sent, 0);
  ASSERT_TRUE(eventually([&] { return notes().size() == static_cast<std::size_t>(sent); }));
  int expected = 0;
  for (const std::string& note : notes()) EXPECT_EQ(note, std::to_string(expected++));
  EXPECT_EQ(a.counters().links_lost, 0U);
}

TEST_F(NodeTest, TwoThatCallEachOtherHaveOneLink) {
  for (int round = 0; round < 20; ++round) {
    NodeOptions for_b = options_for_b();
    for_b.routes = {{.pattern = kA, .host = "unix:" + socket_file(round)}};
    for_b.reconnect_min = 1ms;
    Node b(runtime_, kB, std::move(for_b));
    NodeOptions for_a = options_for_a(b);
    for_a.acceptors = {{.address = "unix:" + socket_file(round)}};
    for_a.services.requests["whoami"] = [](Message message) -> Task<Result<Payload>> {
      co_return Payload(message.from->name.text());
    };
    Node a(runtime_, kA, std::move(for_a));
    auto from_a = boost::asio::co_spawn(runtime_->executor(0), a.request(kB, "whoami", ""),
                                        boost::asio::use_future);
    auto from_b = boost::asio::co_spawn(runtime_->executor(1), b.request(kA, "whoami", ""),
                                        boost::asio::use_future);
    const auto to_a = from_a.get();
    const auto to_b = from_b.get();
    ASSERT_TRUE(to_a) << to_a.error().message();
    ASSERT_TRUE(to_b) << to_b.error().message();
    EXPECT_EQ(a.counters().links, 1U);
    EXPECT_EQ(b.counters().links, 1U);
    EXPECT_EQ(a.counters().links_lost + b.counters().links_lost, 0U);
  }
}

TEST_F(NodeTest, ALostLinkIsMadeAgain) {
  auto b = std::make_unique<Node>(runtime_, kB, options_for_b());
  const std::uint16_t port = b->ports()[0];
  std::atomic<int> ups = 0;
  NodeOptions options = options_for_a(*b);
  options.on_link = [&](const LinkEvent& event) { ups += event.is_up ? 1 : 0; };
  Node a(runtime_, kA, std::move(options));
  EXPECT_THAT(ask(a, "whoami"), HasSubstr("O=a1"));
  b.reset();
  EXPECT_TRUE(eventually([&] { return a.counters().links == 0; }));
  NodeOptions again = options_for_b();
  again.acceptors[0].port = port;
  Node b2(runtime_, kB, std::move(again));
  EXPECT_TRUE(eventually([&] { return ups == 2; }));
  EXPECT_THAT(ask(a, "whoami"), HasSubstr("O=a1"));
  EXPECT_EQ(a.counters().links_lost, 0U) << "it was ended in order";
}

TEST_F(NodeTest, WhatOnLinkThrowsIsLoggedAndHarmsNoLink) {
  Node b(runtime_, kB, options_for_b());
  {
    NodeOptions options = options_for_a(b);
    options.on_link = [](const LinkEvent&) { throw std::runtime_error("its own reason"); };
    Node a(runtime_, kA, std::move(options));
    EXPECT_THAT(ask(a, "whoami"), HasSubstr("O=a1"));
  }
  EXPECT_THAT(log_.text(), HasSubstr("on_link threw: its own reason"));
}

TEST_F(NodeTest, AStopFinishesWhatIsInHand) {
  auto b = std::make_unique<Node>(runtime_, kB, options_for_b());
  Node a(runtime_, kA, options_for_a(*b));
  auto waiting = boost::asio::co_spawn(runtime_->executor(0), a.request(kB, "wait", ""),
                                       boost::asio::use_future);
  ASSERT_TRUE(eventually([&] { return gate_.waiting() == 1; }));
  auto ended = std::async(std::launch::async, [&] { b.reset(); });
  EXPECT_TRUE(eventually([&] { return a.counters().links == 0; })) << "nothing new goes there";
  gate_.open();
  const auto reply = waiting.get();
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(reply->bytes(), "waited");
  ended.get();
}

TEST_F(NodeTest, WhoIsSlowIsWaitedForAndRepliesAreNotHeldUp) {
  NodeOptions options = options_for_b();
  options.services.messages["slow"] = [this](Message) -> Task<void> { co_await gate_.pass(); };
  Node b(runtime_, kB, std::move(options));
  NodeOptions caller = options_for_a(b);
  caller.max_queued_bytes = 100'000;
  caller.services.requests["hello"] = [](Message) -> Task<Result<Payload>> {
    co_return Payload("hello");
  };
  Node a(runtime_, kA, std::move(caller));
  const std::string large(60'000, 'x');
  const auto fill = [&](Node& node) -> Task<Error> {
    while (true) {
      const auto sent = co_await node.send(kB, "slow", large, {.stream = 1, .timeout = 200ms});
      if (!sent) co_return sent.error();
    }
  };
  EXPECT_EQ(wait(fill(a)).code, boost::asio::error::timed_out) << "no credit, and then no room";
  EXPECT_EQ(wait(a.request(kB, "whoami", "", {.timeout = 50ms})).error().code,
            boost::asio::error::timed_out);
  EXPECT_EQ(wait(b.request(kA, "hello", "")).value().bytes(), "hello");
  gate_.open();
  EXPECT_THAT(ask(a, "whoami"), HasSubstr("O=a1"));
}

TEST_F(NodeTest, PlainAndUnverifiedLinksMustBeSaid) {
  NodeOptions plain = options_for_b();
  plain.cert_manager = nullptr;
  EXPECT_THROW(Node(runtime_, kB, plain), std::invalid_argument);
  plain.acceptors[0].plain = true;
  Node b(runtime_, kB, std::move(plain));
  NodeOptions caller = options_for_a(b);
  caller.cert_manager = nullptr;
  caller.routes[0].plain = true;
  Node a(runtime_, kA, std::move(caller));
  EXPECT_THAT(ask(a, "whoami"), HasSubstr("nobody"));
}

TEST_F(NodeTest, SkipVerifyWorksWhereItIsSetAndIsLogged) {
  const test::TestCa other;
  NodeOptions options = options_for_b();
  CertSet set = set_of("b1");
  set.default_identity = Identity(other.issue("strange b")).with(ClientAuth::request);
  options.cert_manager = CertManager::create(std::move(set)).value();
  options.insecure_skip_verify = true;
  Node b(runtime_, kB, std::move(options));
  Node careful(runtime_, "careful@localhost", options_for_a(b));
  EXPECT_EQ(error_of(careful).code, Errc::peer_untrusted);
  NodeOptions caller = options_for_a(b);
  caller.routes[0].insecure_skip_verify = true;
  Node a(runtime_, kA, std::move(caller));
  EXPECT_THAT(ask(a, "whoami"), HasSubstr(kA));
  EXPECT_THAT(log_.text(), HasSubstr("insecure_skip_verify"));
}

TEST_F(NodeTest, AnAcceptorTakesAFreePortOfItsRange) {
  Node first(runtime_, "first@localhost", options_for_b());
  const std::uint16_t taken = first.ports()[0];
  NodeOptions options = options_for_b();
  options.acceptors[0].port = taken;
  EXPECT_THROW(Node(runtime_, kB, options), boost::system::system_error);
  options.acceptors[0].port_range = 50;
  Node b(runtime_, kB, std::move(options));
  EXPECT_GT(b.ports()[0], taken);
  EXPECT_LT(b.ports()[0], taken + 50);
}

TEST_F(NodeTest, ARegistrarTellsWhereNodesAre) {
  class Known final : public Registrar {
   public:
    Task<Result<std::vector<Route>>> resolve(NodeName name) override {
      std::vector<Route> routes;
      if (name.text() == kB) routes.push_back({.port = port_});
      co_return routes;
    }
    Task<void> came(NodeName name, std::vector<std::uint16_t> ports) override {
      if (name.text() == kB) port_ = ports.at(0);
      ++came_;
      co_return;
    }
    Task<void> went(NodeName) override {
      ++went_;
      co_return;
    }
    std::atomic<std::uint16_t> port_ = 0;
    std::atomic<int> came_ = 0;
    std::atomic<int> went_ = 0;
  } known;
  {
    NodeOptions for_b = options_for_b();
    for_b.registrar = &known;
    Node b(runtime_, kB, std::move(for_b));
    NodeOptions for_a = options_for_a(b);
    for_a.routes.clear();
    for_a.registrar = &known;
    Node a(runtime_, kA, std::move(for_a));
    ASSERT_TRUE(eventually([&] { return known.came_ == 2; }));
    EXPECT_THAT(ask(a, "whoami"), HasSubstr("O=a1"));
    EXPECT_EQ(wait(a.request("x@localhost", "whoami", "")).error().code, NodeErrc::no_route);
  }
  EXPECT_EQ(known.went_, 2);
}

}  // namespace
}  // namespace livetls::node
