#include "livetls/web/middleware/access_log.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

#include "livetls/web/testing.hpp"

namespace livetls::web {
namespace {

using namespace std::chrono_literals;

class AccessLogTest : public testing::Test {
 protected:
  Router router(AccessLogFormat format, bool with_query = false) {
    Router router;
    router.use(access_log({.format = format,
                           .with_query = with_query,
                           .write = [this](std::string_view line) { line_ = line; },
                           .now = [this] { return std::exchange(now_, now_ + 1500us); }}));
    router.get("/users/{id}", [] { return "hello"; });
    router.del("/users/{id}", [] { return Status{204}; });
    return router;
  }

  std::string line_;
  std::chrono::system_clock::time_point now_ =
      std::chrono::sys_days(std::chrono::year(2026) / 10 / 9) + 13h + 5min + 36s;
};

TEST_F(AccessLogTest, WritesTheCommonFormat) {
  const Router logged = router(AccessLogFormat::common);
  TestClient client(logged);
  client.get("/users/7?token=secret");
  EXPECT_EQ(line_, R"(- - - [09/Oct/2026:13:05:36 +0000] "GET /users/7 HTTP/1.1" 200 5)");
  client.del("/users/7");
  EXPECT_EQ(line_, R"(- - - [09/Oct/2026:13:05:36 +0000] "DELETE /users/7 HTTP/1.1" 204 -)");
  client.get("/none");
  EXPECT_EQ(line_, R"(- - - [09/Oct/2026:13:05:36 +0000] "GET /none HTTP/1.1" 404 10)");
}

TEST_F(AccessLogTest, WritesTheQueryWhereItIsTold) {
  const Router logged = router(AccessLogFormat::common, true);
  TestClient(logged).get("/users/7?a=b");
  EXPECT_NE(line_.find(R"("GET /users/7?a=b HTTP/1.1")"), std::string::npos);
}

TEST_F(AccessLogTest, WritesJson) {
  const Router logged = router(AccessLogFormat::json);
  TestClient client(logged);
  client.headers.set("User-Agent", "me \"and\" you");
  Request request;
  request.target = "/users/7?a=b";
  request.headers = client.headers;
  client.send(request);
  const auto json = boost::json::parse(line_).as_object();
  EXPECT_EQ(json.at("method"), "GET");
  EXPECT_EQ(json.at("path"), "/users/7");
  EXPECT_EQ(json.at("route"), "/users/{id}");
  EXPECT_EQ(json.at("status"), 200);
  EXPECT_EQ(json.at("bytes"), 5);
  EXPECT_EQ(json.at("us"), 1500);
  EXPECT_EQ(json.at("id").as_string(), std::string_view(request.id()));
  EXPECT_EQ(json.at("user_agent"), "me \"and\" you");
}

TEST_F(AccessLogTest, NothingOfAClientEndsALineOrAQuotation) {
  const Router logged = router(AccessLogFormat::common);
  TestClient(logged).get("/a\"\\\x80\x01");
  EXPECT_NE(line_.find(R"("GET /a\x22\x5c\x80\x01 HTTP/1.1" 404)"), std::string::npos) << line_;
  const Router in_json = router(AccessLogFormat::json);
  TestClient client(in_json);
  client.headers.set("User-Agent", "\xff\xfe");
  client.get("/");
  EXPECT_EQ(line_.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace livetls::web
