#include "livetls/web/middleware/authentication.hpp"

#include <gtest/gtest.h>

#include "livetls/web/testing.hpp"

namespace livetls::web {
namespace {

Router guarded(Middleware guard) {
  Router router;
  router.use(std::move(guard));
  router.get("/", [](Request& request) { return "hello " + *request.get<std::string>(); });
  return router;
}

Router with_password() {
  return guarded(basic_auth(
      "the realm",
      [](Request& request, std::string_view user, std::string_view password) -> Task<bool> {
        request.set(std::string(user));
        co_return user == "Aladdin" && equal_secrets(password, "open sesame");
      }));
}

Router with_token() {
  return guarded(bearer_auth([](Request& request, std::string_view token) -> Task<bool> {
    request.set(std::string(token));
    co_return equal_secrets(token, "mF_9.B5f-4.1JqM");
  }));
}

Response get_with(const Router& router, const char* authorization) {
  TestClient client(router);
  client.headers.set("Authorization", authorization);
  return client.get("/");
}

TEST(BasicAuth, LetsPassWhoKnowsThePassword) {
  const Router router = with_password();  // the example of RFC 7617
  EXPECT_EQ(get_with(router, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==").body, "hello Aladdin");
  EXPECT_EQ(get_with(router, "basic   QWxhZGRpbjpvcGVuIHNlc2FtZQ").body, "hello Aladdin");
}

TEST(BasicAuth, AsksEverybodyElse) {
  const Router router = with_password();
  for (const char* field :
       {"", "Basic", "Basic ", "Basic QWxhZGRpbjpvcGVu", "Basic QWxhZGRpbg==", "Basic ****",
        "Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "BasicQWxhZGRpbjpvcGVuIHNlc2FtZQ=="}) {
    const Response response = get_with(router, field);
    EXPECT_EQ(response.status_code, 401) << field;
    EXPECT_EQ(response.headers["WWW-Authenticate"], R"(Basic realm="the realm", charset="UTF-8")");
  }
  TestClient client(router);
  client.headers.add("Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  client.headers.add("Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  EXPECT_EQ(client.get("/").status_code, 401) << "given twice";
  EXPECT_THROW(basic_auth("\"", {}), std::invalid_argument);
}

TEST(BearerAuth, LetsPassWhoHasTheToken) {
  const Router router = with_token();
  EXPECT_EQ(get_with(router, "Bearer mF_9.B5f-4.1JqM").body, "hello mF_9.B5f-4.1JqM");
  EXPECT_EQ(get_with(router, "Bearer wrong").headers["WWW-Authenticate"],
            R"(Bearer error="invalid_token")");
  EXPECT_EQ(TestClient(router).get("/").headers["WWW-Authenticate"], "Bearer");
  EXPECT_EQ(TestClient(router).get("/").status_code, 401);
}

TEST(EqualSecrets, Compares) {
  EXPECT_TRUE(equal_secrets("", ""));
  EXPECT_TRUE(equal_secrets("abc", "abc"));
  EXPECT_FALSE(equal_secrets("abc", "abd"));
  EXPECT_FALSE(equal_secrets("abc", "ab"));
}

}  // namespace
}  // namespace livetls::web
