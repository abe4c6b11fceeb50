#include "integration/listener_test.hpp"

namespace livetls {
namespace {

using namespace test;

// ---- Limits ------------------------------------------------------------------------------------

TEST_F(ListenerTest, AConnectionOverTheLimitIsClosedAndCountedAndTheNextOneFits) {
  Runtime runtime(one_thread());
  runtime.start();
  ListenerOptions options = loopback();
  options.max_connections = 1;
  Listener listener(runtime, manager, tell_what_is_served, options);

  TlsClient first = connect(listener.port());
  ASSERT_FALSE(first.handshake());
  EXPECT_EQ(Stranger(listener.port()).hear(), "");
  EXPECT_EQ(listener.counters().over_limit, 1U);
  EXPECT_EQ(ask_what_was_served(first).generation, 1U);

  first.vanish();
  ASSERT_TRUE(eventually([&] { return listener.counters().open_connections == 0; }));
  TlsClient next = connect(listener.port());
  EXPECT_FALSE(next.handshake());
}

TEST_F(ListenerTest, WhileEnoughHandshakesAreUnderWayOthersWait) {
  Runtime runtime(one_thread());
  runtime.start();
  ListenerOptions options = loopback();
  options.max_handshakes = 1;
  options.stalled_after = 1h;
  Listener listener(runtime, manager, tell_what_is_served, options);

  Stranger begun(listener.port());
  begun.say(client_hello());
  ASSERT_TRUE(eventually([&] { return listener.counters().handshakes_in_flight == 1; }));
  auto waits = std::async(std::launch::async, [&] { return connect(listener.port()).handshake(); });
  ASSERT_TRUE(eventually([&] { return listener.counters().pending == 1; }));
  EXPECT_FALSE(eventually([&] { return listener.counters().handshakes_in_flight > 1; }, 50ms));
  EXPECT_EQ(listener.counters().handshakes, 0U);
  begun.leave();
  EXPECT_FALSE(waits.get());
  EXPECT_TRUE(eventually([&] { return listener.counters().handshakes == 1; }));
  EXPECT_EQ(listener.counters().accepted, 2U);
  EXPECT_EQ(listener.counters().disconnected, 1U);
  EXPECT_EQ(listener.counters().evicted, 0U);
}

TEST_F(ListenerTest, AHandshakeThatHasStalledMakesRoomForOthers) {
  Runtime runtime(one_thread());
  runtime.start();
  ListenerOptions options = loopback();
  options.max_handshakes = 1;
  options.stalled_after = 50ms;
  options.handshake_timeout = 1h;
  Listener listener(runtime, manager, tell_what_is_served, options);

  Stranger stalled(listener.port());
  stalled.say(client_hello());
  ASSERT_TRUE(eventually([&] { return listener.counters().handshakes_in_flight == 1; }));
  EXPECT_FALSE(connect(listener.port()).handshake());
  EXPECT_NE(stalled.hear(), "") << "the server's flight, and then the end";
  EXPECT_TRUE(eventually([&] { return listener.counters().evicted == 1; }));
  EXPECT_EQ(listener.counters().failed_handshakes(), 0U);
}

/// They stay in the kernel's queue until those before them are done.
TEST_F(ListenerTest, HonestClientsThatComeAtOnceDoNotPushEachOtherOut) {
  Runtime runtime(one_thread());
  ListenerOptions options = loopback();
  options.max_pending = 4;
  options.max_handshakes = 2;
  options.stalled_after = 1h;
  Listener listener(runtime, manager, tell_what_is_served, options);
  std::vector<std::future<boost::system::error_code>> clients;
  for (int i = 0; i < 40; ++i) {
    clients.push_back(
        std::async(std::launch::async, [&] { return connect(listener.port()).handshake(); }));
  }
  runtime.start();
  for (auto& handshake : clients) EXPECT_FALSE(handshake.get());
  EXPECT_EQ(listener.counters().evicted, 0U);
}

TEST_F(ListenerTest, ARefusalThatLingersMakesRoomForOthers) {
  Runtime runtime(one_thread());
  runtime.start();
  ListenerOptions options = loopback();
  options.max_connections = 1;
  options.stalled_after = 40ms;
  options.plain_http_answer = "HTTP/1.1 400 Bad Request\r\n\r\n";
  Listener listener(runtime, manager, tell_what_is_served, options);
  Stranger plain(listener.port());
  plain.say("GET / HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return listener.counters().plain_http == 1; }));
  EXPECT_FALSE(connect(listener.port()).handshake());
}

TEST_F(ListenerTest, ConnectionsThatSayNothingHoldNoHandshake) {
  Runtime runtime(one_thread());
  runtime.start();
  ListenerOptions options = loopback();
  options.max_handshakes = 1;
  options.handshake_timeout = 1h;
  Listener listener(runtime, manager, tell_what_is_served, options);

  const std::string hello = client_hello();
  std::vector<std::unique_ptr<Stranger>> strangers;
  for (std::size_t said = 0; said < 32; ++said) {
    strangers.push_back(std::make_unique<Stranger>(listener.port()));
    strangers.back()->say(hello.substr(0, said));
  }
  EXPECT_FALSE(connect(listener.port()).handshake());
  EXPECT_TRUE(eventually([&] {
    return listener.counters().pending == 32 && listener.counters().handshakes_in_flight == 0;
  }));
}

TEST_F(ListenerTest, OfTooManyThatSayNothingTheLongestIsClosed) {
  Runtime runtime(one_thread());
  runtime.start();
  ListenerOptions options = loopback();
  options.max_pending = 2;
  options.handshake_timeout = 1h;
  Listener listener(runtime, manager, tell_what_is_served, options);

  Stranger first(listener.port());
  ASSERT_TRUE(eventually([&] { return listener.counters().pending == 1; }));
  Stranger second(listener.port());
  ASSERT_TRUE(eventually([&] { return listener.counters().pending == 2; }));
  Stranger third(listener.port());
  EXPECT_EQ(first.hear(), "");
  ASSERT_TRUE(eventually([&] { return listener.counters().evicted == 1; }));
  EXPECT_FALSE(connect(listener.port()).handshake());
  EXPECT_EQ(second.hear(), "");
  ASSERT_TRUE(eventually([&] { return listener.counters().pending == 1; }));
  EXPECT_EQ(listener.counters().evicted, 2U);
  EXPECT_EQ(listener.counters().failed_handshakes(), 0U);
}

TEST_F(ListenerTest, AtTheLimitOfConnectionsThoseThatSayNothingMakeRoom) {
  Runtime runtime(one_thread());
  runtime.start();
  ListenerOptions options = loopback();
  options.max_connections = 2;
  options.handshake_timeout = 1h;
  Listener listener(runtime, manager, tell_what_is_served, options);

  Stranger first(listener.port());
  ASSERT_TRUE(eventually([&] { return listener.counters().pending == 1; }));
  Stranger second(listener.port());
  ASSERT_TRUE(eventually([&] { return listener.counters().pending == 2; }));
  TlsClient served = connect(listener.port());
  EXPECT_FALSE(served.handshake());
  EXPECT_EQ(first.hear(), "");
  EXPECT_EQ(listener.counters().over_limit, 0U);
  TlsClient other = connect(listener.port());
  EXPECT_FALSE(other.handshake());
  EXPECT_EQ(second.hear(), "");
  EXPECT_EQ(Stranger(listener.port()).hear(), "") << "these two are served, and stay";
  EXPECT_EQ(listener.counters().over_limit, 1U);
  EXPECT_EQ(ask_what_was_served(served).generation, 1U);
}

/// While it lives, this process gets no further descriptor, but for `spare` ones.
class NoMoreDescriptors {
 public:
  explicit NoMoreDescriptors(int spare = 0) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(next);
    rlimit none = before_;
    none.rlim_cur = static_cast<rlim_t>(next) + static_cast<rlim_t>(spare);
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoMoreDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoMoreDescriptors(const NoMoreDescriptors&) = delete;
  NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;

 private:
  rlimit before_;
};

TEST_F(ListenerTest, AcceptGoesOnWhenThereAreDescriptorsAgain) {
  const test::CapturedLog log;
  Runtime runtime(one_thread());
  ListenerOptions options = loopback();
  options.accept_retry_delay = 5ms;
  Listener listener(runtime, manager, tell_what_is_served, options);
  TlsClient waiting = connect(listener.port());  // in the kernel's queue: nothing runs yet
  {
    const NoMoreDescriptors shortage;
    runtime.start();
    ASSERT_TRUE(eventually([&] { return listener.counters().accept_errors >= 2; }));
    EXPECT_EQ(listener.counters().accepted, 0U);
  }
  EXPECT_FALSE(waiting.handshake());
  EXPECT_EQ(listener.counters().accepted, 1U);
  EXPECT_NE(log.text().find("accept failed"), std::string::npos) << log.text();
}

TEST_F(ListenerTest, WithoutDescriptorsThoseThatSayNothingMakeRoom) {
  Runtime runtime(one_thread());
  ListenerOptions options = loopback();
  options.accept_retry_delay = 1h;
  options.handshake_timeout = 1h;
  Listener listener(runtime, manager, tell_what_is_served, options);
  Stranger first(listener.port()), second(listener.port());
  Stranger honest(listener.port());  // behind them in the kernel's queue
  honest.say(client_hello());
  const NoMoreDescriptors but_two(2);
  runtime.start();
  ASSERT_TRUE(eventually([&] { return listener.counters().handshakes_in_flight == 1; }));
  EXPECT_EQ(first.hear(), "");
  EXPECT_EQ(second.hear(), "");
  EXPECT_EQ(listener.counters().evicted, 2U);
  EXPECT_EQ(listener.counters().failed_handshakes(), 0U);
  EXPECT_GE(listener.counters().accept_errors, 1U);
}

TEST_F(ListenerTest, AHandshakeThatTakesTooLongIsCutAndCounted) {
  Runtime runtime(one_thread());
  runtime.start();
  ListenerOptions options = loopback();
  options.handshake_timeout = 50ms;
  Listener listener(runtime, manager, tell_what_is_served, options);

  Stranger silent(listener.port());
  EXPECT_EQ(silent.hear(), "");
  Stranger slow(listener.port());
  slow.say(std::string_view("\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 9));  // and no more
  EXPECT_EQ(slow.hear(), "");
  ASSERT_TRUE(eventually([&] { return listener.counters().open_connections == 0; }));
  EXPECT_EQ(listener.counters().timed_out, 2U);
  EXPECT_EQ(listener.counters().handshakes_in_flight, 0U);
}

// ---- What goes wrong with peers ----------------------------------------------------------------

TEST_F(ListenerTest, EveryWayToFailAHandshakeIsCountedByItselfAndHarmsNobody) {
  Runtime runtime(one_thread());
  runtime.start();
  ListenerOptions options = loopback();
  options.unknown_name = UnknownName::reject;
  options.alpn = {"h2"};
  Listener listener(runtime, manager, tell_what_is_served, options);
  TlsClient kept = connect(listener.port());
  ASSERT_FALSE(kept.handshake());

  const auto say = [&](std::string_view bytes) {
    Stranger stranger(listener.port());
    stranger.say(bytes);
    return stranger.hear();
  };
  EXPECT_EQ(say("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), "");
  EXPECT_EQ(say("SSH-2.0-OpenSSH_9.2\r\n"), "");
  const std::string alert = say(std::string_view("\x16\x03\x01\x00\x05\x02zzzz", 10));
  EXPECT_EQ(alert, std::string_view("\x15\x03\x03\x00\x02\x02\x32", 7)) << "decode_error";
  Stranger(listener.port()).leave();

  TlsClient misnamed(listener.port(), client, "other.example");
  EXPECT_EQ(misnamed.handshake(), Errc::alert_received);
  TlsClient other_protocol(listener.port(),
                           ClientContext::create({.roots = ca.roots(), .alpn = {"mqtt"}}).value());
  EXPECT_EQ(other_protocol.handshake(), Errc::alert_received);
  TlsClient distrustful(listener.port(),
                        ClientContext::create({.roots = test::TestCa().roots()}).value());
  EXPECT_EQ(distrustful.handshake(), Errc::peer_untrusted);

  EXPECT_TRUE(eventually([&] {
    const ListenerCounters now = listener.counters();
    return now.failed_handshakes() == 7 && now.open_connections == 1;
  }));
  const ListenerCounters counters = listener.counters();
  EXPECT_EQ(counters.plain_http, 1U);
  EXPECT_EQ(counters.not_tls, 1U);
  EXPECT_EQ(counters.malformed, 1U);
  EXPECT_EQ(counters.disconnected, 1U);
  EXPECT_EQ(counters.unrecognized_name, 1U);
  EXPECT_EQ(counters.no_common_parameters, 1U);
  EXPECT_EQ(counters.refused_by_peer, 1U);
  EXPECT_EQ(counters.other_failures, 0U);
  EXPECT_EQ(counters.accepted, 8U);
  EXPECT_EQ(counters.handshakes, 1U);
  EXPECT_EQ(counters.handshakes_in_flight, 0U);
  EXPECT_EQ(ask_what_was_served(kept).generation, 1U) << "the others go on";
}

Task<void> throw_at_an_exclamation_mark(Connection& connection) {
  char byte;
  for (;;) {
    const auto read = co_await connection.read_some(asio::buffer(&byte, 1));
    if (!read || *read == 0) co_return;
    if (byte == '!') throw std::runtime_error("a handler's mistake");
    co_await connection.write(std::string_view(&byte, 1));
  }
}

TEST_F(ListenerTest, AHandlerThatThrowsEndsItsOwnConnectionAndIsLogged) {
  const test::CapturedLog log;
  Runtime runtime(one_thread());
  runtime.start();
  Listener listener(runtime, manager, throw_at_an_exclamation_mark, loopback());
  TlsClient good = connect(listener.port()), bad = connect(listener.port());
  ASSERT_FALSE(good.handshake());
  ASSERT_FALSE(bad.handshake());
  bad.send("!");
  EXPECT_TRUE(bad.end());
  EXPECT_TRUE(eventually([&] { return listener.counters().open_connections == 1; }));
  good.send("a");
  EXPECT_EQ(good.read(1), "a");
  TlsClient next = connect(listener.port());
  EXPECT_FALSE(next.handshake());
  EXPECT_NE(log.text().find("a handler's mistake"), std::string::npos) << log.text();
}

// ---- Addresses ---------------------------------------------------------------------------------

bool has_ipv6() {
  asio::io_context io;
  asio::ip::tcp::acceptor acceptor(io);
  boost::system::error_code error;
  acceptor.open(asio::ip::tcp::v6(), error);
  if (!error) acceptor.bind({asio::ip::address_v6::loopback(), 0}, error);
  return !error;
}

TEST_F(ListenerTest, ListensOnIpv4OnIpv6AndOnBoth) {
  Runtime runtime({.threads = 2, .stop_on_signals = false});
  runtime.start();
  const auto reachable = [&](const Listener& listener, const char* address) {
    TlsClient visitor(listener.port(), client, "localhost", address);
    return !visitor.handshake() && ask_what_was_served(visitor).generation == 1;
  };
  Listener v4(runtime, manager, tell_what_is_served, {.address = "127.0.0.1"});
  EXPECT_TRUE(reachable(v4, "127.0.0.1"));
  Listener any(runtime, manager, tell_what_is_served, {});
  EXPECT_TRUE(reachable(any, "127.0.0.1"));
  EXPECT_NE(v4.port(), 0);
  EXPECT_NE(v4.port(), any.port());
  if (!has_ipv6()) GTEST_SKIP() << "the rest needs IPv6";
  EXPECT_TRUE(reachable(any, "::1"));
  Listener v6(runtime, manager, tell_what_is_served, {.address = "::1"});
  EXPECT_TRUE(reachable(v6, "::1"));
}

TEST_F(ListenerTest, ConnectionsAreServedOnEveryThread) {
  Runtime runtime({.threads = 2, .stop_on_signals = false});
  runtime.start();
  std::mutex mutex;
  std::vector<std::thread::id> seen;
  Listener listener(
      runtime, manager,
      [&](Connection& connection) {
        {
          const std::scoped_lock lock(mutex);
          seen.push_back(std::this_thread::get_id());
        }
        return tell_what_is_served(connection);
      },
      loopback());
  // The kernel spreads them by a hash: 64 on one of two has a chance of 2^-63.
  for (int i = 0; i < 64; ++i) {
    TlsClient visitor = connect(listener.port());
    ASSERT_FALSE(visitor.handshake());
  }
  ASSERT_TRUE(eventually([&] {
    const std::scoped_lock lock(mutex);
    return seen.size() == 64;
  }));
  EXPECT_NE(std::count(seen.begin(), seen.end(), seen.front()), 64);
}

TEST_F(ListenerTest, WhatCannotBeIsRefusedAtConstruction) {
  Runtime runtime(one_thread());
  const auto refused = [&](std::shared_ptr<CertManager> with, ListenerOptions options,
                           Listener::Handler handler = tell_what_is_served) {
    EXPECT_THROW(Listener(runtime, with, handler, options), std::invalid_argument);
  };
  refused(nullptr, {});
  refused(manager, {.plain = true});
  refused(manager, {.address = "localhost"});
  refused(manager, {.handshake_timeout = 0s});
  refused(manager, {.max_connections = 0});
  refused(manager, {.max_handshakes = 0});
  refused(manager, {.max_pending = 0});
  refused(manager, {.stalled_after = -1s});
  refused(manager, {.stalled_after = 25h});
  refused(manager, {.accept_retry_delay = 0s});
  refused(manager, {.accept_retry_delay = 2h});
  refused(manager, {.backlog = 0});
  refused(manager, {}, nullptr);
  EXPECT_THROW(Listener(runtime, manager, tell_what_is_served, {.address = "192.0.2.1"}),
               boost::system::system_error);  // an address of somebody else
}

Task<void> describe_plain(Connection& connection) {
  const bool plain = !connection.is_tls() && !connection.certificate() &&
                     connection.generation() == 0 && connection.alpn().empty();
  co_await connection.write(plain ? "plain" : "not plain");
}

TEST_F(ListenerTest, APlainListenerServesWithoutTls) {
  Runtime runtime(one_thread());
  runtime.start();
  Listener listener(runtime, nullptr, describe_plain, {.address = "127.0.0.1", .plain = true});
  EXPECT_EQ(Stranger(listener.port()).hear(), "plain");
  EXPECT_EQ(listener.counters().accepted, 1U);
  EXPECT_EQ(listener.counters().handshakes, 0U);
}

}  // namespace
}  // namespace livetls
