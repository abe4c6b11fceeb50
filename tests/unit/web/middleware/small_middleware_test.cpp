// Middleware that needs few tests: ids, time-outs, headers, and the redirection.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

#include "livetls/web/http_error.hpp"
#include "livetls/web/middleware/client_certificate.hpp"
#include "livetls/web/middleware/request_id.hpp"
#include "livetls/web/middleware/security_headers.hpp"
#include "livetls/web/middleware/timeout.hpp"
#include "livetls/web/redirect.hpp"
#include "livetls/web/testing.hpp"
#include "support/captured_log.hpp"

namespace livetls::web {
namespace {

using namespace std::chrono_literals;

TEST(RequestId, IsInTheResponse) {
  Router router;
  router.use(request_id()).get("/", [](Request& request) { return request.id(); });
  TestClient client(router);
  const Response response = client.get("/");
  EXPECT_EQ(response.headers["X-Request-Id"], response.body);
  EXPECT_EQ(response.body.size(), 16U);
  EXPECT_NE(client.get("/").body, response.body);
  client.headers.set("X-Request-Id", "abc");
  EXPECT_NE(client.get("/").body, "abc") << "nobody is trusted who was not named";
}

TEST(RequestId, IsTheClientsWhereItIsTrustedAndHarmless) {
  Router router;
  router.use(request_id({.header = "X-Trace", .trust_client = true}));
  router.get("/", [](Request& request) { return request.id(); });
  TestClient client(router);
  client.headers.set("X-Trace", "a-B_7.c");
  EXPECT_EQ(client.get("/").headers["X-Trace"], "a-B_7.c");
  for (const std::string& id :
       {std::string("a b"), std::string("a\tb"), std::string(65, 'a'), std::string("<script>")}) {
    client.headers.set("X-Trace", id);
    EXPECT_NE(client.get("/").body, id);
  }
}

TEST(Timeout, CancelsWhatTakesTooLong) {
  const test::CapturedLog log;
  bool cancelled = false;
  Router router;
  router.use(timeout(1ms));
  router.get("/fast", [] { return "fast"; });
  router.get("/slow", [&]() -> Task<std::string> {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, 1h);
    boost::system::error_code error;
    co_await timer.async_wait(boost::asio::redirect_error(use_task, error));
    cancelled = error == boost::asio::error::operation_aborted;
    throw boost::system::system_error(error);
  });
  TestClient client(router);
  EXPECT_EQ(client.get("/fast").body, "fast");
  const Response slow = client.get("/slow");
  EXPECT_EQ(slow.status_code, 503);
  EXPECT_EQ(slow.headers["Connection"], "close");
  EXPECT_TRUE(cancelled);
  EXPECT_EQ(log.text(), "");
}

TEST(Timeout, DoesNotHoldWhatHasFailed) {
  Router router;
  router.use(timeout(1h));
  router.get("/lost",
             []() -> Response { throw ConnectionLost(boost::asio::error::connection_reset); });
  EXPECT_THROW(TestClient(router).get("/lost"), ConnectionLost);
}

TEST(SecurityHeaders, AreSetWhereTheHandlerHasNotSetThem) {
  Router router;
  router.use(security_headers({.referrer_policy = ""}));
  router.get("/", [] {
    Response response = Response::text("x");
    response.headers.set("X-Frame-Options", "SAMEORIGIN");
    return response;
  });
  const Response response = TestClient(router).get("/");
  EXPECT_EQ(response.headers["X-Content-Type-Options"], "nosniff");
  EXPECT_EQ(response.headers["X-Frame-Options"], "SAMEORIGIN");
  EXPECT_EQ(response.headers["Content-Security-Policy"],
            "default-src 'self'; frame-ancestors 'none'");
  EXPECT_FALSE(response.headers.contains("Referrer-Policy"));
  EXPECT_FALSE(response.headers.contains("Strict-Transport-Security")) << "not without TLS";
}

TEST(RequireClientCertificate, LetsNobodyPassWithoutAConnection) {
  Router router;
  router.use(require_client_certificate()).get("/", [] { return "x"; });
  EXPECT_EQ(TestClient(router).get("/").status_code, 403);
}

TEST(RedirectToHttps, KeepsHostPathAndMethod) {
  const auto location = [](RedirectOptions options, const char* host, const char* target) {
    const Router router = redirect_to_https(options);
    TestClient client(router);
    client.headers.set("Host", host);
    const Response response = client.post(target, "body", "text/plain");
    EXPECT_EQ(response.status_code, 308);
    return std::string(response.headers["Location"]);
  };
  EXPECT_EQ(location({}, "a.example:80", "/x/y?z=1"), "https://a.example/x/y?z=1");
  EXPECT_EQ(location({.port = 8443}, "[::1]:80", "/"), "https://[::1]:8443/");
  EXPECT_EQ(location({.host = "b.example"}, "evil.example", "//c"), "https://b.example//c");
  const Router router = redirect_to_https();
  EXPECT_EQ(TestClient(router).send(Method::options, "*").status_code, 400);
}

}  // namespace
}  // namespace livetls::web
