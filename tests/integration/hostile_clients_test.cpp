// What strangers do to a port: each is refused, each is counted, and nobody else notices.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "livetls/rotation/cert_manager.hpp"
#include "livetls/tcp/server.hpp"
#include "livetls/web/server.hpp"
#include "support/eventually.hpp"
#include "support/http_client.hpp"
#include "support/programs.hpp"
#include "support/running_runtime.hpp"
#include "support/test_ca.hpp"

namespace livetls {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::HttpsClient;
using test::PlainClient;
using testing::HasSubstr;

constexpr auto kShort = 100ms;

const std::string kRequest = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Enough HTTP for the good client, so that both servers are asked the same.
Task<void> answer(Connection& connection) {
  std::array<char, 1024> request;
  for (;;) {
    const auto bytes = co_await connection.read_some(boost::asio::buffer(request));
    if (!bytes || *bytes == 0) co_return;
    const auto sent = co_await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood");
    if (!sent) co_return;
  }
}

web::Router router() {
  web::Router router;
  router.get("/", [](web::Request&) { return web::Response::text("good"); });
  return router;
}

enum class Kind { web, tcp };

class HostileClients : public testing::TestWithParam<Kind> {
 protected:
  struct Options {
    std::chrono::steady_clock::duration handshake_timeout = 30s;
    UnknownName unknown_name = UnknownName::serve_default;
    std::size_t max_handshakes = 1000;
    std::chrono::steady_clock::duration stalled_after = 1s;
  };

  ~HostileClients() override {
    EXPECT_TRUE(eventually([&] { return counters().open_connections == 0; }))
        << "a connection is left over";
    EXPECT_EQ(counters().handshakes_in_flight, 0U);
  }

  void start() { start(Options{}); }

  void start(Options options) {
    if (GetParam() == Kind::web) {
      web_.emplace(runtime_, manager_, router(),
                   web::ServerOptions{.unknown_name = options.unknown_name,
                                      .handshake_timeout = options.handshake_timeout,
                                      .max_handshakes = options.max_handshakes,
                                      .stalled_after = options.stalled_after});
    } else {
      tcp_.emplace(runtime_, manager_, answer,
                   tcp::ServerOptions{.alpn = {"http/1.1"},
                                      .unknown_name = options.unknown_name,
                                      .handshake_timeout = options.handshake_timeout,
                                      .max_handshakes = options.max_handshakes,
                                      .stalled_after = options.stalled_after});
    }
  }

  std::uint16_t port() const { return web_ ? web_->port() : tcp_->port(); }
  ListenerCounters counters() const { return web_ ? web_->counters() : tcp_->counters(); }

  PlainClient stranger() { return test::plain_client(port()); }
  HttpsClient client() { return test::https_client(port(), {.roots = ca_.roots()}); }

  void expect_good_client_works() { EXPECT_EQ(client().get("/").body(), "good"); }

  /// Exactly one handshake failed, for this reason, and the others go on.
  void expect_counted(std::uint64_t ListenerCounters::*reason) {
    EXPECT_TRUE(eventually([&] { return counters().*reason == 1; }));
    EXPECT_EQ(counters().failed_handshakes(), 1U);
    expect_good_client_works();
  }

  /// What an honest client begins with.
  std::string client_hello() {
    TlsEngine engine(ClientContext::create({.roots = ca_.roots()}).value(),
                     ServerName::parse("localhost").value());
    engine.handshake();
    std::vector<std::uint8_t> bytes;
    engine.take_output(bytes);
    return {bytes.begin(), bytes.end()};
  }

  test::TestCa ca_;
  std::shared_ptr<CertManager> manager_ = CertManager::create(ca_.issue("tests")).value();
  test::RunningRuntime runtime_;
  std::optional<web::Server> web_;
  std::optional<tcp::Server> tcp_;
};

TEST_P(HostileClients, Garbage) {
  start();
  PlainClient client = stranger();
  client.send("\x01\x02\x03\x04 this is not TLS at all");
  EXPECT_TRUE(client.end());
  expect_counted(&ListenerCounters::not_tls);
}

TEST_P(HostileClients, PlainHttp) {
  start();
  PlainClient client = stranger();
  client.send(kRequest);
  EXPECT_TRUE(client.end());
  expect_counted(&ListenerCounters::plain_http);
}

TEST_P(HostileClients, ARecordThatIsNoClientHello) {
  start();
  PlainClient client = stranger();
  client.send(std::string("\x16\x03\x01\x00\x08\x01\x00\x00\x04garb", 13));
  EXPECT_TRUE(client.end());
  expect_counted(&ListenerCounters::malformed);
}

TEST_P(HostileClients, AClientHelloWithoutEnd) {
  start();
  PlainClient client = stranger();
  // A handshake message that announces 16 MiB, and sends them record by record.
  std::string bytes("\x16\x03\x01\x40\x00\x01\xff\xff\xff", 9);
  bytes.append(0x4000 - 4, 'x');
  const std::string more = std::string("\x16\x03\x01\x40\x00", 5) + std::string(0x4000, 'x');
  for (int i = 0; i < 8; ++i) bytes += more;
  try {
    client.send(bytes);
  } catch (const boost::system::system_error&) {
    // refused before everything was sent
  }
  EXPECT_TRUE(client.end());
  expect_counted(&ListenerCounters::malformed);
}

TEST_P(HostileClients, HalfAClientHelloThenSilence) {
  start({.handshake_timeout = kShort});
  PlainClient client = stranger();
  const std::string hello = client_hello();
  client.send(hello.substr(0, hello.size() / 2));
  EXPECT_TRUE(client.end());
  EXPECT_TRUE(eventually([&] { return counters().timed_out == 1; }));
  EXPECT_EQ(counters().failed_handshakes(), 1U);
}

TEST_P(HostileClients, AClientHelloThenSilence) {
  start({.handshake_timeout = kShort});
  PlainClient client = stranger();
  client.send(client_hello());
  EXPECT_EQ(client.read(1), "\x16") << "the server's flight";
  EXPECT_TRUE(client.end());
  EXPECT_TRUE(eventually([&] { return counters().timed_out == 1; }));
  EXPECT_EQ(counters().failed_handshakes(), 1U);
}

TEST_P(HostileClients, Silence) {
  start({.handshake_timeout = kShort});
  PlainClient client = stranger();
  EXPECT_TRUE(client.end());
  EXPECT_TRUE(eventually([&] { return counters().timed_out == 1; }));
}

TEST_P(HostileClients, ManySilentOnesDoNotKeepOthersOut) {
  start({.handshake_timeout = 1h, .max_handshakes = 8});
  std::vector<PlainClient> silent;
  for (int i = 0; i < 200; ++i) silent.push_back(stranger());
  expect_good_client_works();
  EXPECT_TRUE(eventually([&] { return counters().pending == 200; }));
  silent.clear();
  EXPECT_TRUE(eventually([&] { return counters().disconnected == 200; }));
}

TEST_P(HostileClients, ManyThatStopHalfwayDoNotKeepOthersOut) {
  start({.handshake_timeout = 1h, .max_handshakes = 8, .stalled_after = 20ms});
  const std::string hello = client_hello();
  std::vector<PlainClient> clients;
  for (int i = 0; i < 64; ++i) {
    clients.push_back(stranger());
    clients.back().send(i % 2 == 0 ? hello : hello.substr(0, hello.size() - 1));
  }
  expect_good_client_works();
  EXPECT_TRUE(eventually([&] { return counters().evicted > 0; }));
  clients.clear();
  EXPECT_TRUE(eventually([&] { return counters().open_connections == 0; }));
  EXPECT_EQ(counters().timed_out, 0U);
}

TEST_P(HostileClients, DisappearingInTheHandshake) {
  start();
  const std::string hello = client_hello();
  std::uint64_t gone = 0;
  for (const bool with_reset : {false, true}) {
    for (const std::size_t sent :
         {std::size_t{0}, std::size_t{1}, hello.size() / 2, hello.size()}) {
      PlainClient client = stranger();
      client.send(hello.substr(0, sent));
      with_reset ? client.reset() : client.vanish();
      ++gone;
      EXPECT_TRUE(eventually([&] { return counters().failed_handshakes() == gone; }));
    }
  }
  EXPECT_EQ(counters().disconnected, gone);
  EXPECT_EQ(counters().timed_out, 0U);
  expect_good_client_works();
}

TEST_P(HostileClients, DisappearingAfterTheHandshake) {
  start();
  for (const bool with_reset : {false, true}) {
    for (std::size_t sent = 0; sent <= kRequest.size(); sent += 5) {
      HttpsClient gone = client();
      if (sent > 0) gone.send(kRequest.substr(0, sent));
      with_reset ? gone.reset() : gone.vanish();
    }
  }
  EXPECT_TRUE(eventually([&] { return counters().open_connections == 0; }));
  EXPECT_EQ(counters().failed_handshakes(), 0U);
  expect_good_client_works();
}

TEST_P(HostileClients, AnUnknownServerNameIsRejectedWhereThatIsAsked) {
  start({.unknown_name = UnknownName::reject});
  const auto result =
      test::run({"openssl", "s_client", "-connect", "127.0.0.1:" + std::to_string(port()),
                 "-servername", "unknown.example", "-CAfile", ca_.root_file()});
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.output, HasSubstr("unrecognized name"));
  expect_counted(&ListenerCounters::unrecognized_name);
}

TEST_P(HostileClients, AnUnknownServerNameIsServedTheDefaultOtherwise) {
  start();
  const auto result = test::run(
      {"openssl", "s_client", "-connect", "127.0.0.1:" + std::to_string(port()), "-servername",
       "unknown.example", "-verify_return_error", "-CAfile", ca_.root_file()});
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(counters().unrecognized_name, 0U);
}

TEST_P(HostileClients, OtherApplicationProtocolsOnly) {
  start();
  const auto result = test::run(test::s_client(ca_.root_file(), port(), {"-alpn", "h2,spdy/3"}));
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.output, HasSubstr("no application protocol"));
  expect_counted(&ListenerCounters::no_common_parameters);
}

TEST_P(HostileClients, ATlsVersionThatIsTooOld) {
  start();
  const auto result = test::run(
      test::s_client(ca_.root_file(), port(), {"-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"}));
  EXPECT_NE(result.exit_code, 0);
  expect_counted(&ListenerCounters::no_common_parameters);
}

TEST_P(HostileClients, AClientThatDoesNotTrustUs) {
  start();
  const test::TestCa other;
  const std::string url = "https://localhost:" + std::to_string(port()) + "/";
  const auto old = test::run(test::curl(other.root_file(), url, {"--tls-max", "1.2"}));
  EXPECT_EQ(old.exit_code, 60) << old.output;
  expect_counted(&ListenerCounters::refused_by_peer);

  // In TLS 1.3, openssl sends this alert unprotected, which wolfSSL takes for a malformed record.
  const auto current = test::run(test::curl(other.root_file(), url));
  EXPECT_EQ(current.exit_code, 60) << current.output;
  EXPECT_TRUE(eventually([&] { return counters().failed_handshakes() == 2; }));
  expect_good_client_works();
}

TEST_P(HostileClients, GarbageInsideTheSession) {
  start();
  HttpsClient bad = client();
  bad.stream().next_layer().write_some(boost::asio::buffer("\x17\x03\x03\x00\x04garb", 9));
  EXPECT_TRUE(bad.end());
  expect_good_client_works();
  EXPECT_EQ(counters().failed_handshakes(), 0U);
}

INSTANTIATE_TEST_SUITE_P(All, HostileClients, testing::Values(Kind::web, Kind::tcp),
                         [](const auto& test) { return test.param == Kind::web ? "web" : "tcp"; });

}  // namespace
}  // namespace livetls
