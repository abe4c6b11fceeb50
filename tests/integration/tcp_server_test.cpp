#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <future>
#include <stdexcept>

#include "livetls/rotation/cert_manager.hpp"
#include "livetls/tcp/server.hpp"
#include "support/captured_log.hpp"
#include "support/eventually.hpp"
#include "support/gate.hpp"
#include "support/http_client.hpp"
#include "support/programs.hpp"
#include "support/running_runtime.hpp"
#include "support/test_ca.hpp"

namespace livetls::tcp {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::HttpsClient;
using test::PlainClient;

Task<void> echo(Connection& connection) {
  std::array<char, 4096> buffer;
  for (;;) {
    const auto bytes = co_await connection.read_some(boost::asio::buffer(buffer));
    if (!bytes || *bytes == 0) co_return;
    const auto sent = co_await connection.write(boost::asio::buffer(buffer.data(), *bytes));
    if (!sent) co_return;
  }
}

Task<void> fail(Connection& connection) {
  const auto sent = co_await connection.write("about to fail");
  static_cast<void>(sent);
  throw std::runtime_error("the handler's reason");
}

/// Waits for one byte, and says how that ended.
Task<void> wait_briefly(Connection& connection) {
  connection.deadline().expires_after(100ms);
  std::array<char, 1> byte;
  const auto bytes = co_await connection.read_some(boost::asio::buffer(byte));
  const std::string reason = bytes ? "a byte" : bytes.error().code.message();
  connection.deadline().expires_after(10s);
  co_await connection.write(reason);
}

class TcpServer : public testing::Test {
 protected:
  ~TcpServer() override {
    gate_.open();
    if (server_) {
      EXPECT_TRUE(eventually([&] { return server_->counters().open_connections == 0; }))
          << "a connection is left over";
    }
    server_.reset();
  }

  void start(Server::Handler handler) { server_.emplace(runtime_, manager_, std::move(handler)); }

  void start_plain(Server::Handler handler) {
    server_.emplace(runtime_, nullptr, std::move(handler), ServerOptions{.plain = true});
  }

  HttpsClient connect(TlsVersion version = TlsVersion::tls1_3) {
    return test::https_client(
        server_->port(),
        {.roots = ca_.roots(), .policy = {.min_version = version, .max_version = version}});
  }

  Task<void> pass_gate(Connection& connection) {
    std::array<char, 1> byte;
    const auto bytes = co_await connection.read_some(boost::asio::buffer(byte));
    if (!bytes) co_return;
    co_await gate_.pass();
    co_await connection.write("finished");
  }

  test::CapturedLog log_;
  std::atomic<bool> fail_next_ = false;
  test::TestCa ca_;
  std::shared_ptr<CertManager> manager_ = CertManager::create(ca_.issue("tests")).value();
  test::Gate gate_;
  test::RunningRuntime runtime_;
  std::optional<Server> server_;
};

TEST_F(TcpServer, ServesTls12AndTls13) {
  start(echo);
  for (const TlsVersion version : {TlsVersion::tls1_2, TlsVersion::tls1_3}) {
    HttpsClient client = connect(version);
    EXPECT_EQ(client.stream().tls().version(), version);
    const std::string text(50'000, 't');
    client.send(text);
    EXPECT_EQ(client.read(text.size()), text);
  }
  EXPECT_EQ(server_->counters().handshakes, 2U);
}

TEST_F(TcpServer, ServesPlainWhereThatIsSaid) {
  start_plain(echo);
  PlainClient client = test::plain_client(server_->port());
  client.send("hello");
  EXPECT_EQ(client.read(5), "hello");
  client.finish_sending();
  EXPECT_TRUE(client.ends_quietly());
}

TEST_F(TcpServer, ServesOpensslInBothDirectionsToTheEnd) {
  start(echo);
  test::Subprocess client(test::s_client(ca_.root_file(), server_->port()));
  for (int i = 0; i < 100; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    client.write(line);
    client.read_until(line);
  }
  EXPECT_EQ(client.wait().exit_code, 0);
}

TEST_F(TcpServer, SaysCloseNotifyWhenTheHandlerReturns) {
  start([](Connection& connection) -> Task<void> { co_await connection.write("bye"); });
  HttpsClient client = connect();
  EXPECT_EQ(client.read(3), "bye");
  EXPECT_TRUE(client.ends_quietly());
}

TEST_F(TcpServer, AHandlerThatThrowsEndsItsConnectionAlone) {
  const auto handler = [this](Connection& connection) {
    return fail_next_ ? fail(connection) : echo(connection);
  };
  start(handler);
  HttpsClient good = connect();
  good.send("a");
  EXPECT_EQ(good.read(1), "a");

  fail_next_ = true;
  HttpsClient bad = connect();
  EXPECT_EQ(bad.read(13), "about to fail");
  EXPECT_TRUE(bad.end());
  const auto is_logged = [&] {
    return log_.text().find("the handler's reason") != std::string::npos;
  };
  EXPECT_TRUE(eventually(is_logged));

  good.send("b");
  EXPECT_EQ(good.read(1), "b");
}

TEST_F(TcpServer, ADeadlineEndsAReadAndLeavesTheConnectionForALastWord) {
  start(wait_briefly);
  const std::string reason = boost::system::error_code(boost::asio::error::timed_out).message();
  HttpsClient tls = connect();
  EXPECT_EQ(tls.read(reason.size()), reason);
  EXPECT_TRUE(tls.ends_quietly());

  server_.reset();
  start_plain(wait_briefly);
  PlainClient plain = test::plain_client(server_->port());
  EXPECT_EQ(plain.read(reason.size()), reason);
  EXPECT_TRUE(plain.ends_quietly());
}

TEST_F(TcpServer, AStopInterruptsReadsAndLetsWorkFinish) {
  const auto handler = [this](Connection& connection) { return pass_gate(connection); };
  start(handler);
  HttpsClient working = connect();
  working.send("w");
  ASSERT_TRUE(eventually([&] { return gate_.waiting() == 1; }));
  HttpsClient reading = connect();
  ASSERT_TRUE(eventually([&] { return server_->counters().open_connections == 2; }));

  auto stopped = std::async(std::launch::async, [this] { server_.reset(); });
  EXPECT_TRUE(reading.ends_quietly());
  gate_.open();
  EXPECT_EQ(working.read(8), "finished");
  EXPECT_TRUE(working.ends_quietly());
  stopped.get();
}

TEST_F(TcpServer, DoesNotShareAPortWithAnotherServer) {
  start(echo);
  EXPECT_THROW(Server(runtime_, manager_, echo, {.port = server_->port()}),
               boost::system::system_error);
}

TEST_F(TcpServer, RefusesToGuessWhetherItIsPlain) {
  EXPECT_THROW(Server(runtime_, nullptr, echo), std::invalid_argument);
  EXPECT_THROW(Server(runtime_, manager_, echo, {.plain = true}), std::invalid_argument);
  EXPECT_THROW(Server(runtime_, manager_, nullptr), std::invalid_argument);
}

}  // namespace
}  // namespace livetls::tcp
