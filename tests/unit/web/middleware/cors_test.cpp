#include "livetls/web/middleware/cors.hpp"

#include <gtest/gtest.h>

#include "livetls/web/testing.hpp"

namespace livetls::web {
namespace {

Router open_to(CorsOptions options) {
  Router router;
  router.use(cors(std::move(options)));
  router.get("/", [] { return "hello"; });
  return router;
}

Response from(const Router& router, const char* origin, bool preflight = false) {
  TestClient client(router);
  client.headers.set("Origin", origin);
  if (preflight) client.headers.set("Access-Control-Request-Method", "PUT");
  return client.send(preflight ? Method::options : Method::get, "/");
}

TEST(Cors, LetsNamedOriginsRead) {
  const Router router = open_to({.origins = {"https://a.example", "https://b.example"},
                                 .exposed = {"X-Count", "ETag"},
                                 .credentials = true});
  const Response response = from(router, "https://b.example");
  EXPECT_EQ(response.body, "hello");
  EXPECT_EQ(response.headers["Access-Control-Allow-Origin"], "https://b.example");
  EXPECT_EQ(response.headers["Access-Control-Allow-Credentials"], "true");
  EXPECT_EQ(response.headers["Access-Control-Expose-Headers"], "X-Count, ETag");
  EXPECT_EQ(response.headers["Vary"], "Origin");
}

TEST(Cors, TellsOthersNothing) {
  const Router router = open_to({.origins = {"https://a.example"}});
  for (const char* origin : {"https://b.example", "https://a.example.evil", "http://a.example",
                             "null", "https://A.example"}) {
    for (const bool preflight : {false, true}) {
      const Response response = from(router, origin, preflight);
      EXPECT_FALSE(response.headers.contains("Access-Control-Allow-Origin")) << origin;
      EXPECT_EQ(response.headers["Vary"], "Origin");
    }
  }
  EXPECT_FALSE(TestClient(router).get("/").headers.contains("Access-Control-Allow-Origin"));
}

TEST(Cors, AnswersPreflights) {
  const Router router = open_to({.origins = {"*"}, .methods = {"GET", "PUT"}});
  const Response response = from(router, "https://b.example", true);
  EXPECT_EQ(response.status_code, 204);
  EXPECT_EQ(response.headers["Access-Control-Allow-Origin"], "*");
  EXPECT_EQ(response.headers["Access-Control-Allow-Methods"], "GET, PUT");
  EXPECT_EQ(response.headers["Access-Control-Allow-Headers"], "Content-Type, Authorization");
  EXPECT_EQ(response.headers["Access-Control-Max-Age"], "600");
  EXPECT_FALSE(response.headers.contains("Access-Control-Allow-Credentials"));
  EXPECT_FALSE(response.headers.contains("Vary"));
}

TEST(Cors, OptionsThatAreNoPreflightGoOn) {
  const Router router = open_to({.origins = {"*"}});
  EXPECT_EQ(TestClient(router).send(Method::options, "/").headers["Allow"], "GET, HEAD, OPTIONS");
}

TEST(Cors, GivesCredentialsToNoStranger) {
  EXPECT_THROW(cors({.origins = {"*"}, .credentials = true}), std::invalid_argument);
}

}  // namespace
}  // namespace livetls::web
