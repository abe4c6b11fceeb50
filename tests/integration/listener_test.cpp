#include "livetls/net/listener.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/error.hpp>
#include <csignal>
#include <future>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>

#include "support/captured_log.hpp"
#include "support/eventually.hpp"
#include "support/gate.hpp"
#include "support/tell_what_is_served.hpp"
#include "support/test_ca.hpp"
#include "support/tls_client.hpp"

namespace livetls {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using test::ask_what_was_served;
using test::eventually;
using test::tell_what_is_served;
using test::TlsClient;

/// A TCP connection that says what the test likes.
class Stranger {
 public:
  explicit Stranger(std::uint16_t port) : socket_(io_) {
    socket_.connect({asio::ip::address_v4::loopback(), port});
  }

  void say(std::string_view bytes) { asio::write(socket_, asio::buffer(bytes)); }
  void leave() { socket_.close(); }

  /// What the server says until it closes; waits 20 seconds at most.
  std::string hear() {
    const timeval patience{20, 0};
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    std::string all;
    char buffer[4096];
    for (;;) {
      const ssize_t count = ::recv(socket_.native_handle(), buffer, sizeof buffer, 0);
      if (count > 0) {
        all.append(buffer, static_cast<std::size_t>(count));
      } else if (count < 0 && errno == EAGAIN) {
        throw std::runtime_error("the server neither spoke nor closed");
      } else {
        return all;  // closed, or reset
      }
    }
  }

 private:
  asio::io_context io_;
  asio::ip::tcp::socket socket_;
};

class ListenerTest : public ::testing::Test {
 protected:
  /// One thread, so that limits are exact.
  static Runtime::Options one_thread(std::chrono::steady_clock::duration grace = 20s) {
    return {.threads = 1, .stop_grace = grace, .stop_on_signals = false};
  }

  static ListenerOptions loopback() { return {.address = "127.0.0.1"}; }

  TlsClient connect(std::uint16_t port) const { return TlsClient(port, client); }

  test::TestCa ca;
  std::shared_ptr<CertManager> manager = CertManager::create(ca.issue("A")).value();
  std::shared_ptr<const ClientContext> client =
      ClientContext::create({.roots = ca.roots()}).value();
};

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
  Listener listener(runtime, manager, tell_what_is_served, options);

  Stranger silent(listener.port());
  ASSERT_TRUE(eventually([&] { return listener.counters().handshakes_in_flight == 1; }));
  auto waits = std::async(std::launch::async, [&] { return connect(listener.port()).handshake(); });
  EXPECT_FALSE(eventually([&] { return listener.counters().accepted > 1; }, 50ms));
  silent.leave();
  EXPECT_FALSE(waits.get());
  EXPECT_TRUE(eventually([&] { return listener.counters().handshakes == 1; }));
  EXPECT_EQ(listener.counters().accepted, 2U);
  EXPECT_EQ(listener.counters().disconnected, 1U);
}

/// While it lives, this process gets no further descriptor.
class NoMoreDescriptors {
 public:
  NoMoreDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(next);
    rlimit none = before_;
    none.rlim_cur = static_cast<rlim_t>(next);
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

// ---- Stopping ----------------------------------------------------------------------------------

/// Answers a question when the gate lets it.
class GatedServer {
 public:
  Task<void> operator()(Connection& connection) {
    char byte;
    const auto read = co_await connection.read_some(asio::buffer(&byte, 1));
    if (!read) {
      read_error_ = read.error().code;
      co_return;
    }
    co_await gate.pass();
    const auto written = co_await connection.write("answer");
    was_stopping = connection.stopping();
    if (!written) co_return;
    const auto next = co_await connection.read_some(asio::buffer(&byte, 1));
    if (!next) read_error_ = next.error().code;
  }

  Listener::Handler handler() {
    return [this](Connection& connection) { return (*this)(connection); };
  }

  /// After the runtime has ended.
  boost::system::error_code read_error() const { return read_error_; }

  test::Gate gate;
  bool was_stopping = false;

 private:
  boost::system::error_code read_error_;
};

bool refuses_connections(std::uint16_t port) {
  asio::io_context io;
  asio::ip::tcp::socket socket(io);
  boost::system::error_code error;
  socket.connect({asio::ip::address_v4::loopback(), port}, error);
  return error.failed();
}

TEST_F(ListenerTest, AStopLetsWhatIsInFlightFinishAndEndsReads) {
  GatedServer server;
  Runtime runtime(one_thread());
  runtime.start();
  Listener listener(runtime, manager, server.handler(), loopback());
  TlsClient busy = connect(listener.port());
  ASSERT_FALSE(busy.handshake());
  busy.send("?");
  ASSERT_TRUE(eventually([&] { return server.gate.waiting() == 1; }));

  runtime.stop();
  EXPECT_TRUE(eventually([&] { return refuses_connections(listener.port()); }));
  server.gate.open();
  EXPECT_EQ(busy.read(6), "answer");
  EXPECT_EQ(busy.end(), asio::error::eof) << "close_notify, not a cut";
  busy.vanish();
  runtime.run();  // returns when all has ended
  EXPECT_TRUE(server.was_stopping);
  EXPECT_EQ(server.read_error(), asio::error::operation_aborted);
  EXPECT_EQ(listener.counters().open_connections, 0U);
}

TEST_F(ListenerTest, AReadThatWaitsIsEndedByAStop) {
  GatedServer server;
  Runtime runtime(one_thread());
  runtime.start();
  Listener listener(runtime, manager, server.handler(), loopback());
  TlsClient idle = connect(listener.port());
  ASSERT_FALSE(idle.handshake());
  ASSERT_TRUE(eventually([&] { return listener.counters().handshakes == 1; }));
  runtime.stop();
  EXPECT_EQ(idle.end(), asio::error::eof);
  idle.vanish();
  runtime.run();
  EXPECT_EQ(server.read_error(), asio::error::operation_aborted);
}

TEST_F(ListenerTest, AtTheEndOfTheGraceWhatIsLeftIsCut) {
  GatedServer server;
  Runtime runtime(one_thread(20ms));
  runtime.start();
  Listener listener(runtime, manager, server.handler(), loopback());
  TlsClient busy = connect(listener.port());
  ASSERT_FALSE(busy.handshake());
  busy.send("?");
  ASSERT_TRUE(eventually([&] { return server.gate.waiting() == 1; }));
  Stranger silent(listener.port());
  ASSERT_TRUE(eventually([&] { return listener.counters().handshakes_in_flight == 1; }));
  runtime.stop();
  EXPECT_EQ(busy.end(), Errc::stream_truncated);
  EXPECT_EQ(silent.hear(), "");
  runtime.run();
  EXPECT_EQ(listener.counters().open_connections, 0U);
  EXPECT_EQ(listener.counters().handshakes_in_flight, 0U);
}

TEST_F(ListenerTest, AListenerMayEndBeforeItsRuntime) {
  Runtime runtime(one_thread());
  runtime.start();
  std::optional<Listener> first(std::in_place, runtime, manager, tell_what_is_served, loopback());
  TlsClient visitor = connect(first->port());
  ASSERT_FALSE(visitor.handshake());
  const std::uint16_t port = first->port();
  auto end = std::async(std::launch::async, [&] {
    const auto error = visitor.end();
    visitor.vanish();
    return error;
  });
  first.reset();
  EXPECT_EQ(end.get(), asio::error::eof);
  EXPECT_TRUE(refuses_connections(port));

  Listener second(runtime, manager, tell_what_is_served, loopback());
  TlsClient next = connect(second.port());
  EXPECT_FALSE(next.handshake());
}

TEST_F(ListenerTest, AListenerMayEndAfterItsRuntimeHasStopped) {
  Runtime runtime(one_thread());
  Listener listener(runtime, manager, tell_what_is_served, loopback());
  runtime.start();
  TlsClient visitor = connect(listener.port());
  ASSERT_FALSE(visitor.handshake());
  runtime.stop();
  visitor.vanish();
  runtime.run();
}

TEST_F(ListenerTest, AListenerMayEndWhileItsRuntimeIsStopping) {
  for (int i = 0; i < 20; ++i) {
    Runtime runtime({.threads = 2, .stop_grace = 1s, .stop_on_signals = false});
    Listener listener(runtime, manager, tell_what_is_served, loopback());
    runtime.start();
    TlsClient visitor = connect(listener.port());
    ASSERT_FALSE(visitor.handshake());
    visitor.vanish();
    runtime.stop();
  }
}

TEST_F(ListenerTest, AListenerMayEndAfterItsRuntimeWasStoppedAtOnce) {
  GatedServer server;
  Runtime runtime(one_thread());
  Listener listener(runtime, manager, server.handler(), loopback());
  runtime.start();
  TlsClient busy = connect(listener.port());
  ASSERT_FALSE(busy.handshake());
  busy.send("?");
  ASSERT_TRUE(eventually([&] { return server.gate.waiting() == 1; }));
  runtime.stop();
  runtime.stop();  // without the grace
}

TEST_F(ListenerTest, ARuntimeThatWasNeverStartedLetsItsListenersEnd) {
  Runtime runtime({.threads = 2});
  Listener listener(runtime, manager, tell_what_is_served, loopback());
  TlsClient queued = connect(listener.port());
}

TEST_F(ListenerTest, SigtermStopsGracefully) {
  Runtime runtime({.threads = 2});
  Listener listener(runtime, manager, tell_what_is_served, loopback());
  runtime.start();
  TlsClient visitor = connect(listener.port());
  ASSERT_FALSE(visitor.handshake());
  EXPECT_EQ(ask_what_was_served(visitor).generation, 1U);
  ASSERT_EQ(::kill(::getpid(), SIGTERM), 0);
  EXPECT_EQ(visitor.end(), asio::error::eof);
  visitor.vanish();
  runtime.run();
}

TEST_F(ListenerTest, ASecondSignalStopsAtOnce) {
  GatedServer server;
  Runtime runtime({.threads = 1, .stop_grace = 1h});
  Listener listener(runtime, manager, server.handler(), loopback());
  runtime.start();
  TlsClient busy = connect(listener.port());
  ASSERT_FALSE(busy.handshake());
  busy.send("?");
  ASSERT_TRUE(eventually([&] { return server.gate.waiting() == 1; }));
  ASSERT_EQ(::kill(::getpid(), SIGINT), 0);
  ASSERT_TRUE(eventually([&] { return refuses_connections(listener.port()); }));
  ASSERT_EQ(::kill(::getpid(), SIGINT), 0);
  runtime.run();
}

TEST_F(ListenerTest, OtherSignalsCallTheirHandlersEveryTime) {
  Runtime runtime(one_thread());
  std::atomic<int> calls = 0;
  runtime.on_signal(SIGHUP, [&] { ++calls; });
  runtime.start();
  for (int i = 1; i <= 3; ++i) {
    ASSERT_EQ(::kill(::getpid(), SIGHUP), 0);
    ASSERT_TRUE(eventually([&] { return calls == i; }));
  }
  runtime.stop();
  runtime.run();
}

}  // namespace
}  // namespace livetls
