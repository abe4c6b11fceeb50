#include "livetls/web/middleware.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

#include "livetls/web/http_error.hpp"
#include "livetls/web/testing.hpp"
#include "support/captured_log.hpp"

namespace livetls::web {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Writes its name around what is inside.
Middleware bracket(std::string name) {
  return [name = std::move(name)](Request& request, Next next) -> Task<Response> {
    Response response = co_await next(request);
    response.body = name + "(" + response.body + ")";
    co_return response;
  };
}

struct NotFound {
  std::string what;
};

class Conflict : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

TEST(MiddlewareTest, GoesAroundRoutesInItsOrder) {
  Router router;
  router.use(bracket("a")).use(bracket("b"));
  router.get("/", [] { return "x"; });
  EXPECT_EQ(TestClient(router).get("/").body, "a(b(x))");
}

TEST(MiddlewareTest, OfAGroupIsInsideAndForItAlone) {
  Router router;
  router.use(bracket("all"));
  router.get("/", [] { return "root"; });
  router.group("/g", [](Router& group) {
    group.use(bracket("g")).get("/", [] { return "x"; });
    group.group("/h", [](Router& inner) { inner.use(bracket("h")).get("/", [] { return "y"; }); });
  });
  TestClient client(router);
  EXPECT_EQ(client.get("/").body, "all(root)");
  EXPECT_EQ(client.get("/g/").body, "all(g(x))");
  EXPECT_EQ(client.get("/g/h/").body, "all(g(h(y)))");
}

TEST(MiddlewareTest, OfAHostIsInsideOfTheOthers) {
  Router site;
  site.use(bracket("site")).get("/", [] { return "x"; });
  Router router;
  router.use(bracket("all")).host("localhost", site);
  EXPECT_EQ(TestClient(router).get("/").body, "all(site(x))");
  EXPECT_EQ(TestClient(router).get("/none").body, "all(site(Not Found\n))");
}

TEST(MiddlewareTest, SeesWhatNoRouteIsFor) {
  Router router;
  router.use(bracket("a")).get("/", [] { return "x"; });
  EXPECT_EQ(TestClient(router).get("/none").body, "a(Not Found\n)");
  EXPECT_EQ(TestClient(router).del("/").body, "a(Method Not Allowed\n)");
}

TEST(MiddlewareTest, MayAnswerByItself) {
  bool reached = false;
  Router router;
  router.use([](Request&, Next) -> Task<Response> { co_return Response::status(403); });
  router.get("/", [&] {
    reached = true;
    return "x";
  });
  EXPECT_EQ(TestClient(router).get("/").status_code, 403);
  EXPECT_FALSE(reached);
}

TEST(MiddlewareTest, NeedsNotBeACoroutine) {
  Router router;
  for (int i = 0; i < 3; ++i) {
    router.use([](Request& request, Next next) { return next(request); });
  }
  router.use(bracket("a")).get("/", [] { return "x"; });
  EXPECT_EQ(TestClient(router).get("/").body, "a(x)");
}

TEST(MiddlewareTest, HandsValuesToHandlers) {
  struct User {
    std::string name;
  };
  Router router;
  router.use([](Request& request, Next next) -> Task<Response> {
    request.set(User{"first"});
    request.set(User{"me"});
    request.set(std::string("another type"));
    co_return co_await next(request);
  });
  router.get("/", [](Request& request) {
    EXPECT_EQ(request.get<int>(), nullptr);
    return request.get<User>()->name;
  });
  EXPECT_EQ(TestClient(router).get("/").body, "me");
}

TEST(MiddlewareTest, ComesBeforeTheRoutesItIsFor) {
  Router router;
  router.get("/", [] { return "x"; });
  EXPECT_THROW(router.use(bracket("late")), std::logic_error);
  EXPECT_THROW(router.on_error<int>([](int) { return "late"; }), std::logic_error);
}

TEST(ErrorsTest, OfATypeAreMappedInOnePlace) {
  Router router;
  router.on_error<NotFound>(
      [](const NotFound& error) { return Response::problem(404, error.what); });
  router.on_error<std::exception>([](const std::exception& error, Request& request) {
    return std::string(request.path()) + ": " + error.what();
  });
  router.on_error<Error>([](const Error&) { return Status{409}; });
  router.get("/thrown", []() -> Response { throw NotFound{"no user"}; });
  router.get("/returned",
             []() -> boost::system::result<std::string, NotFound> { return NotFound{"no order"}; });
  router.get("/waited", []() -> Task<Result<Status>> { co_return Error(Errc::input_empty); });
  router.get("/derived", []() -> Response { throw Conflict("twice"); });
  TestClient client(router);
  EXPECT_THAT(client.get("/thrown").body, HasSubstr("no user"));
  EXPECT_EQ(client.get("/thrown").status_code, 404);
  EXPECT_THAT(client.get("/returned").body, HasSubstr("no order"));
  EXPECT_EQ(client.get("/waited").status_code, 409);
  EXPECT_EQ(client.get("/derived").body, "/derived: twice");
}

TEST(ErrorsTest, OfAGroupAreMappedThereFirst) {
  Router router;
  router.on_error<int>([](int) { return "outer"; });
  router.on_error<NotFound>([](const NotFound&) { return "outer"; });
  router.group("/g", [](Router& group) {
    group.on_error<int>([](int) { return "inner"; });
    group.get("/int", []() -> Response { throw 7; });
    group.get("/not-found", []() -> Response { throw NotFound{}; });
  });
  router.get("/int", []() -> Response { throw 7; });
  TestClient client(router);
  EXPECT_EQ(client.get("/g/int").body, "inner");
  EXPECT_EQ(client.get("/g/not-found").body, "outer");
  EXPECT_EQ(client.get("/int").body, "outer");
}

TEST(ErrorsTest, WithoutAMapTellTheClientNothingAndTheOperatorEverything) {
  const test::CapturedLog log;
  Router router;
  router.get("/", []() -> Response { throw std::runtime_error("the secret"); });
  router.get("/result", []() -> Result<Response> { return Error(Errc::input_empty, "a file"); });
  router.get("/7", []() -> Response { throw 7; });
  TestClient client(router);
  for (const char* path : {"/", "/result", "/7"}) {
    const Response response = client.get(path);
    EXPECT_EQ(response.status_code, 500);
    EXPECT_THAT(response.body, Not(HasSubstr("secret")));
  }
  Request request;
  const Response response = client.send(request);
  EXPECT_THAT(response.body, HasSubstr("request " + request.id()));
  EXPECT_THAT(log.text(), HasSubstr("request " + request.id() + ", GET /, failed: the secret"));
  EXPECT_THAT(log.text(), HasSubstr("a file"));
}

TEST(ErrorsTest, OfAMapAreAnsweredLikeOthers) {
  const test::CapturedLog log;
  Router router;
  router.use(bracket("a"));
  router.on_error<int>([](int) -> Response { throw HttpError(503); });
  router.on_error<NotFound>(
      [](const NotFound&) -> Response { throw std::runtime_error("secret"); });
  router.get("/int", []() -> Response { throw 7; });
  router.get("/not-found", []() -> Response { throw NotFound{}; });
  TestClient client(router);
  EXPECT_EQ(client.get("/int").status_code, 503);
  EXPECT_THAT(client.get("/int").body, testing::StartsWith("a("));
  EXPECT_EQ(client.get("/not-found").status_code, 500);
  EXPECT_THAT(log.text(), HasSubstr("failed: secret"));
}

TEST(ErrorsTest, OfMiddlewareAreMappedToo) {
  Router router;
  router.on_error<NotFound>([](const NotFound&) { return "mapped"; });
  router.use(bracket("outer"));
  router.use([](Request&, Next) -> Task<Response> {
    throw NotFound{};
    co_return Response();
  });
  router.get("/", [] { return "x"; });
  EXPECT_EQ(TestClient(router).get("/").body, "outer(mapped)");
}

TEST(ErrorsTest, ArriveInMiddlewareAsResponses) {
  Router router;
  router.use(bracket("a")).get("/", []() -> Response { throw HttpError(418); });
  EXPECT_THAT(TestClient(router).get("/").body, testing::StartsWith("a({"));
  EXPECT_EQ(TestClient(router).get("/").status_code, 418);
  EXPECT_THROW(HttpError(200), std::invalid_argument);
}

}  // namespace
}  // namespace livetls::web
