// How a Listener ends: by itself, with its runtime, and by signals.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include "integration/listener_test.hpp"
#include "support/http_client.hpp"

namespace livetls {
namespace {

using namespace test;

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
  ASSERT_TRUE(eventually([&] { return listener.counters().pending == 1; }));
  runtime.stop();
  EXPECT_EQ(busy.end(), Errc::stream_truncated);
  EXPECT_EQ(silent.hear(), "");
  runtime.run();
  EXPECT_EQ(listener.counters().open_connections, 0U);
  EXPECT_EQ(listener.counters().handshakes_in_flight, 0U);
}

/// Keeps a server thread busy from when it gets there until it is let go on.
class Pause {
 public:
  explicit Pause(Executor executor) {
    asio::post(executor, [this] {
      reached_.set_value();
      over_.get_future().wait();
    });
  }
  void wait() { reached_.get_future().wait(); }
  void end() { over_.set_value(); }

 private:
  std::promise<void> reached_, over_;
};

/// Of two clients, the second is accepted in the same breath as the first, just before the stop
/// closes the socket; the accept loop hears of it just after.
TEST_F(ListenerTest, AStopServesNobodyThatWasAcceptedBesideIt) {
  Runtime runtime(one_thread());
  runtime.start();
  std::atomic<int> served = 0;
  const auto serve = [&](Connection& connection) -> Task<void> {
    ++served;
    char byte;
    co_await connection.read_some(asio::buffer(&byte, 1));
  };
  ListenerOptions options = loopback();
  options.plain = true;
  Listener listener(runtime, nullptr, serve, options);
  Pause before(runtime.executor(0));
  before.wait();
  Stranger first(listener.port()), second(listener.port());
  Pause after(runtime.executor(0));
  before.end();
  after.wait();
  asio::io_context io;
  auto stopped = asio::co_spawn(io, listener.stop(20s), asio::use_future);
  io.poll();
  after.end();
  io.run();
  EXPECT_EQ(stopped.wait_for(0s), std::future_status::ready);
  EXPECT_EQ(listener.counters().accepted, 1U);
  EXPECT_EQ(served, 1);
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
