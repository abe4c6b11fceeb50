// What nodes send each other, and how their links live, end and rotate.

#include "node_test.hpp"

#include <atomic>
#include <future>
#include <map>
#include <optional>

namespace livetls::node {
namespace {

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
  std::atomic<bool> ended = false, begun = false;
  const auto send_on = [&](Node& node) -> Task<int> {
    int sent = 0;
    while (!ended) {
      const auto done = co_await node.send(kB, "note", std::to_string(sent));
      EXPECT_TRUE(done) << done.error().message();
      if (!done) break;
      ++sent;
      begun = true;
    }
    co_return sent;
  };
  auto sending = boost::asio::co_spawn(runtime_->executor(1), send_on(a), boost::asio::use_future);
  ASSERT_TRUE(eventually([&] { return begun.load(); }));
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
    // Both calls may have become a link, if one came when the other was over. Then the second takes
    // the first one's place, and the node that is told so by its peer has none until its own end of
    // the second is up.
    EXPECT_TRUE(eventually([&] { return a.counters().links == 1 && b.counters().links == 1; }));
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

}  // namespace
}  // namespace livetls::node
