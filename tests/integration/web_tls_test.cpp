// What is different about web::Server with TLS. Everything else is in web_server_test.cpp.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "livetls/rotation/cert_manager.hpp"
#include "livetls/web/server.hpp"
#include "support/eventually.hpp"
#include "support/gate.hpp"
#include "support/http_client.hpp"
#include "support/programs.hpp"
#include "support/running_runtime.hpp"
#include "support/test_ca.hpp"

namespace livetls::web {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::HttpResponse;
using test::HttpsClient;
using testing::HasSubstr;

class WebTls : public testing::Test {
 protected:
  ~WebTls() override {
    gate_.open();
    if (server_) {
      EXPECT_TRUE(eventually([&] { return server_->counters().open_connections == 0; }))
          << "a connection is left over";
    }
  }

  void start(ServerOptions options = {}) {
    Router router;
    router.get("/", [](Request&) { return Response::text("hello"); });
    router.post("/echo", [](Request& r) { return Response::text(std::move(r.body)); });
    router.get("/big", [](Request&) { return Response::text(std::string(5'000'000, 'b')); });
    router.get("/gate", [this](Request&) { return pass_gate(); });
    router.get("/connection", [](Request& r) {
      const Connection& c = r.connection();
      return Response::text(std::string(to_string(c.tls_version())) + ' ' +
                            std::string(c.server_name()) + ' ' + std::string(c.alpn()) + ' ' +
                            std::to_string(c.generation()) + ' ' + c.certificate()->leaf().subject +
                            ' ' + std::to_string(c.local_endpoint().port()));
    });
    server_.emplace(runtime_, manager_, std::move(router), options);
  }

  Task<Response> pass_gate() {
    co_await gate_.pass();
    co_return Response::text("passed");
  }

  HttpsClient connect() {
    return test::https_client(server_->port(), {.roots = ca_.roots(), .alpn = {"h2", "http/1.1"}});
  }

  std::string url(std::string_view target) {
    return "https://localhost:" + std::to_string(server_->port()) + std::string(target);
  }

  test::Subprocess::Finished curl(std::string_view target, std::vector<std::string> options = {}) {
    return test::run(test::curl(ca_.root_file(), url(target), std::move(options)));
  }

  test::TestCa ca_;
  std::shared_ptr<CertManager> manager_ = CertManager::create(ca_.issue("tests")).value();
  test::Gate gate_;
  test::RunningRuntime runtime_;
  std::optional<Server> server_;
};

TEST_F(WebTls, HandlersSeeTheConnection) {
  start();
  const std::string port = std::to_string(server_->port());
  EXPECT_EQ(curl("/connection", {"--tlsv1.3"}).output,
            "TLS 1.3 localhost http/1.1 1 CN=localhost,O=tests " + port);
  EXPECT_EQ(curl("/connection", {"--tls-max", "1.2"}).output,
            "TLS 1.2 localhost http/1.1 1 CN=localhost,O=tests " + port);
}

TEST_F(WebTls, CurlSendsBodiesAndReadsBigOnes) {
  start();
  const std::string body(100'000, 'x');
  EXPECT_EQ(curl("/echo", {"-H", "Expect: 100-continue", "-d", body}).output, body);
  EXPECT_EQ(curl("/echo", {"-H", "Transfer-Encoding: chunked", "-d", body}).output, body);
  EXPECT_EQ(curl("/big").output, std::string(5'000'000, 'b'));
  EXPECT_THAT(curl("/", {"--head"}).output, HasSubstr("Content-Length: 5\r\n"));
}

TEST_F(WebTls, CurlUsesOneConnectionForManyRequests) {
  start();
  const auto result = curl("/", {url("/"), url("/"), url("/")});
  EXPECT_EQ(result.output, "hellohellohellohello");
  EXPECT_EQ(server_->counters().handshakes, 1U);
}

TEST_F(WebTls, BeastUsesTlsStreamAsAClient) {
  start();
  HttpsClient client = connect();
  EXPECT_EQ(client.stream().tls().alpn(), "http/1.1");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(client.get("/").body(), "hello");
  EXPECT_EQ(client.get("/big").body().size(), 5'000'000U);
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /nothing HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.response().body(), "hello");
  EXPECT_EQ(client.response().result_int(), 404U);
}

TEST_F(WebTls, PlainHttpIsToldToUseTls) {
  start();
  test::PlainClient plain = test::plain_client(server_->port());
  const HttpResponse response = plain.get("/");
  EXPECT_EQ(response.result_int(), 400U);
  EXPECT_EQ(response["Connection"], "close");
  EXPECT_THAT(response.body(), HasSubstr("https://"));
  EXPECT_TRUE(plain.ends_quietly());
  EXPECT_EQ(server_->counters().plain_http, 1U);
  EXPECT_EQ(connect().get("/").body(), "hello");
}

TEST_F(WebTls, AHostUnderOtherRulesForClientsIsMisdirected) {
  const CertSet set{
      .default_identity = Identity(ca_.issue("strict")).with(ClientAuth::require_and_verify),
      .identities = {{"open.example", ca_.issue_for("open.example")},
                     {"www.example", ca_.issue_for("www.example")}},
      .client_roots = ca_.roots()};
  manager_ = CertManager::create(set).value();
  start();
  HttpsClient client = test::https_client(server_->port(), {.roots = ca_.roots()}, "open.example");
  const auto status_of = [&](std::string_view host) {
    client.send("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n");
    return client.response().result_int();
  };
  EXPECT_EQ(status_of("open.example"), 200U);
  EXPECT_EQ(status_of("OPEN.example:8443"), 200U);
  EXPECT_EQ(status_of("www.example"), 200U) << "the same rules";
  for (const char* host : {"localhost", "unknown.example", "127.0.0.1", "", "[::1]"}) {
    EXPECT_EQ(status_of(host), 421U) << host;
  }
  EXPECT_EQ(status_of("open.example"), 200U);
}

TEST_F(WebTls, EveryEndIsAProperOne) {
  start({.header_timeout = 500ms});
  HttpsClient asked_to_close = connect();
  asked_to_close.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(asked_to_close.response().body(), "hello");
  EXPECT_TRUE(asked_to_close.ends_quietly());

  HttpsClient slow = connect();
  slow.send("GET / HT");
  EXPECT_EQ(slow.response().result_int(), 408U);
  EXPECT_TRUE(slow.ends_quietly());

  HttpsClient malformed = connect();
  malformed.send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(malformed.response().result_int(), 400U);
  EXPECT_TRUE(malformed.ends_quietly());

  server_.reset();
  start({.idle_timeout = 100ms});
  HttpsClient idle = connect();
  EXPECT_EQ(idle.get("/").body(), "hello");
  EXPECT_TRUE(idle.ends_quietly());
}

TEST_F(WebTls, TheRefusalOfABodyReachesAClientThatIsStillSending) {
  start({.max_body_bytes = 1000});
  const auto result = curl("/echo", {"-H", "Expect:", "-d", std::string(120'000, 'x'), "-o",
                                     "/dev/null", "-w", "%{http_code}"});
  EXPECT_THAT(result.output, HasSubstr("413"));
}

TEST_F(WebTls, AStopFinishesWhatIsInFlightAndEndsWhatIsIdle) {
  start();
  HttpsClient working = connect();
  working.send("GET /gate HTTP/1.1\r\nHost: h\r\n\r\n");
  HttpsClient idle = connect();
  EXPECT_EQ(idle.get("/").body(), "hello");
  ASSERT_TRUE(eventually([&] { return gate_.waiting() == 1; }));

  const std::uint16_t port = server_->port();
  auto stopped = std::async(std::launch::async, [this] { server_.reset(); });
  EXPECT_TRUE(idle.ends_quietly());
  ASSERT_TRUE(eventually([&] { return test::refuses_connections(port); }));
  gate_.open();
  const HttpResponse response = working.response();
  EXPECT_EQ(response.body(), "passed");
  EXPECT_EQ(response["Connection"], "close");
  EXPECT_TRUE(working.ends_quietly());
  stopped.get();
}

}  // namespace
}  // namespace livetls::web
