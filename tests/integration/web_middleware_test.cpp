// Middleware as curl meets it, over TLS. What each does in detail is in unit/web/middleware.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "livetls/rotation/cert_manager.hpp"
#include "livetls/web/http_error.hpp"
#include "livetls/web/json.hpp"
#include "livetls/web/middleware/access_log.hpp"
#include "livetls/web/middleware/authentication.hpp"
#include "livetls/web/middleware/body_limit.hpp"
#include "livetls/web/middleware/cors.hpp"
#include "livetls/web/middleware/gzip.hpp"
#include "livetls/web/middleware/rate_limit.hpp"
#include "livetls/web/middleware/request_id.hpp"
#include "livetls/web/middleware/security_headers.hpp"
#include "livetls/web/redirect.hpp"
#include "livetls/web/server.hpp"
#include "support/captured_log.hpp"
#include "support/programs.hpp"
#include "support/running_runtime.hpp"
#include "support/test_ca.hpp"

namespace livetls::web {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Task<bool> is_ada(Request&, std::string_view user, std::string_view password) {
  co_return user == "ada" && equal_secrets(password, "1815");
}

Task<bool> is_token(Request&, std::string_view token) { co_return equal_secrets(token, "t0ken"); }

class WebMiddleware : public testing::Test {
 protected:
  Router routes() {
    Router router;
    router.use(access_log()).use(request_id()).use(security_headers()).use(gzip());
    router.use(cors({.origins = {"https://app.example"}}));
    router.get("/text", [] { return std::string(10'000, 'x'); });
    router.group("/basic", [](Router& group) {
      group.use(basic_auth("here", is_ada)).get("", [] { return "ada's"; });
    });
    router.group("/token", [](Router& group) {
      group.use(bearer_auth(is_token)).get("", [] { return "for tokens"; });
    });
    router.group("/small", [](Router& group) {
      group.use(body_limit(3)).post("", [](Request& request) { return request.body; });
    });
    router.group("/twice", [](Router& group) {
      group.use(rate_limit({.per_second = 0.001, .burst = 2})).get("", [] { return "so far"; });
    });
    return router;
  }

  /// The answer with its head.
  std::string ask(const std::string& path, std::vector<std::string> options = {}) {
    options.push_back("--include");
    const std::string url = "https://localhost:" + std::to_string(server_.port()) + path;
    return test::run(test::curl(ca_.root_file(), url, std::move(options))).output;
  }

  const test::TestCa ca_;
  const std::shared_ptr<CertManager> manager_ = CertManager::create(ca_.issue("a")).value();
  const test::CapturedLog log_;
  test::RunningRuntime runtime_;
  Server server_{runtime_, manager_, routes()};
};

TEST_F(WebMiddleware, CompressesForThoseWhoTakeIt) {
  EXPECT_THAT(ask("/text", {"--compressed"}),
              AllOf(HasSubstr("Content-Encoding: gzip"), HasSubstr(std::string(10'000, 'x'))));
  EXPECT_THAT(ask("/text"), Not(HasSubstr("Content-Encoding")));
}

TEST_F(WebMiddleware, TellsBrowsersToBeCarefulAndEverybodyTheRequestsId) {
  EXPECT_THAT(ask("/text"),
              AllOf(HasSubstr("Strict-Transport-Security: max-age=31536000"),
                    HasSubstr("X-Content-Type-Options: nosniff"), HasSubstr("X-Request-Id: ")));
  EXPECT_THAT(log_.text(), HasSubstr("\"GET /text HTTP/1.1\" 200 10000"));
}

TEST_F(WebMiddleware, AnswersPreflights) {
  const auto preflight = [&](const std::string& origin) {
    return ask("/text", {"-X", "OPTIONS", "-H", "Origin: " + origin, "-H",
                         "Access-Control-Request-Method: GET"});
  };
  EXPECT_THAT(preflight("https://app.example"),
              HasSubstr("Access-Control-Allow-Origin: https://app.example"));
  EXPECT_THAT(preflight("https://evil.example"), Not(HasSubstr("Access-Control-Allow-Origin")));
}

TEST_F(WebMiddleware, AsksWhoItIs) {
  EXPECT_THAT(ask("/basic"), AllOf(HasSubstr(" 401 "), HasSubstr("WWW-Authenticate: Basic")));
  EXPECT_THAT(ask("/basic", {"--user", "ada:1816"}), HasSubstr(" 401 "));
  EXPECT_THAT(ask("/basic", {"--user", "ada:1815"}), HasSubstr("ada's"));
  EXPECT_THAT(ask("/token"), HasSubstr(" 401 "));
  EXPECT_THAT(ask("/token", {"-H", "Authorization: Bearer t0ken"}), HasSubstr("for tokens"));
}

TEST_F(WebMiddleware, LimitsBodiesAndRates) {
  EXPECT_THAT(ask("/small", {"-d", "abc"}), HasSubstr("abc"));
  EXPECT_THAT(ask("/small", {"-d", "abcd"}), HasSubstr(" 413 "));
  EXPECT_THAT(ask("/twice"), HasSubstr(" 200 "));
  EXPECT_THAT(ask("/twice"), HasSubstr(" 200 "));
  EXPECT_THAT(ask("/twice"), AllOf(HasSubstr(" 429 "), HasSubstr("Retry-After: ")));
}

TEST_F(WebMiddleware, SendsEverybodyToHttps) {
  const Server plain(runtime_, nullptr, redirect_to_https({.port = server_.port()}),
                     {.plain = true});
  const std::string url = "http://localhost:" + std::to_string(plain.port()) + "/text";
  EXPECT_THAT(test::run(test::curl(ca_.root_file(), url, {"--location"})).output,
              std::string(10'000, 'x'));
}

}  // namespace
}  // namespace livetls::web
