#include "livetls/web/handler.hpp"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <cstdint>

#include "livetls/web/testing.hpp"

namespace livetls::web {
namespace {

/// What a program may add: an argument and a result of its own.
struct Caller {
  std::string name;
  static Caller from_request(Request& request) {
    if (!request.headers.contains("X-Caller")) throw HttpError(401, "who are you?");
    return {std::string(request.headers["X-Caller"])};
  }
};

struct Money {
  int cents;
};

}  // namespace

template <>
struct ToResponse<Money> {
  static Response convert(Money money) {
    return Response::text(std::to_string(money.cents / 100) + " euros");
  }
};

namespace {

Task<void> wait_a_little() {
  co_await boost::asio::post(co_await boost::asio::this_coro::executor, use_task);
}

std::string free_function(Path<"id", int> id) { return "free " + std::to_string(*id); }

TEST(Handler, MayReturnWhateverCanBecomeAResponse) {
  Router router;
  router.get("/response", [](Request&) { return Response::text("response"); });
  router.get("/string", [] { return std::string("string"); });
  router.get("/literal", [] { return "literal"; });
  router.get("/status", [] { return Status{204}; });
  router.get("/result", []() -> Result<std::string> { return "result"; });
  router.get("/own", [] { return Money{700}; });
  router.get("/task", []() -> Task<std::string> {
    co_await wait_a_little();
    co_return "task";
  });
  router.get("/task-of-result", [](Request&) -> Task<Result<Money>> { co_return Money{300}; });
  TestClient client(router);
  for (const char* kind : {"response", "string", "literal", "result", "task"}) {
    const Response response = client.get(std::string("/") + kind);
    EXPECT_EQ(response.body, kind);
    EXPECT_EQ(response.status_code, 200);
    EXPECT_EQ(response.headers["Content-Type"], "text/plain; charset=utf-8");
  }
  EXPECT_EQ(client.get("/status").status_code, 204);
  EXPECT_EQ(client.get("/own").body, "7 euros");
  EXPECT_EQ(client.get("/task-of-result").body, "3 euros");
}

TEST(Handler, TakesArgumentsOfThePath) {
  Router router;
  router.get("/free/{id}", free_function);
  router.get("/{name}/{count}", [](Path<"count", std::uint8_t> count, Path<"name"> name) {
    return *name + std::to_string(*count);
  });
  TestClient client(router);
  EXPECT_EQ(client.get("/free/-12").body, "free -12");
  EXPECT_EQ(client.get("/a%2Fb/255").body, "a/b255");
  for (const char* number : {"256", "-1", "x", "1x", "+1", "%20", "1.0"}) {
    EXPECT_EQ(client.get(std::string("/a/") + number).status_code, 404) << number;
  }
}

TEST(Handler, TakesArgumentsOfTheQuery) {
  Router router;
  router.get("/", [](Query<"page", std::optional<int>> page, Query<"q"> q,
                     Query<"exact", std::optional<bool>> exact) {
    return *q + " " + std::to_string(page->value_or(1)) + (exact->value_or(false) ? " exact" : "");
  });
  TestClient client(router);
  EXPECT_EQ(client.get("/?q=a+b%21").body, "a b! 1");
  EXPECT_EQ(client.get("/?exact=true&page=3&q=a").body, "a 3 exact");
  const Response missing = client.get("/?page=3");
  EXPECT_EQ(missing.status_code, 400);
  EXPECT_EQ(missing.headers["Content-Type"], "application/problem+json");
  EXPECT_EQ(missing.body,
            R"({"title":"Bad Request","status":400,"detail":"the query's q is missing"})");
  for (const char* page : {"", "x", "3x", "99999999999"}) {
    EXPECT_EQ(client.get(std::string("/?q=a&page=") + page).status_code, 400) << page;
  }
}

TEST(Handler, TakesHeaderFieldsAndTypesOfTheProgram) {
  Router router;
  router.get("/", [](Header<"X-Count", int> count, Caller caller) -> Task<std::string> {
    co_await wait_a_little();
    co_return caller.name + std::to_string(*count);
  });
  TestClient client(router);
  EXPECT_EQ(client.get("/").status_code, 400);
  client.headers.set("x-count", "7");
  EXPECT_EQ(client.get("/").status_code, 401);
  client.headers.set("x-caller", "me");
  EXPECT_EQ(client.get("/").body, "me7");
}

TEST(Handler, SharesItsStateWithCopiesOfTheRouter) {
  auto counter = std::make_shared<int>(0);
  Router router;
  router.get("/", [counter] { return std::to_string(++*counter); });
  const Router copy = router;
  EXPECT_EQ(TestClient(router).get("/").body, "1");
  EXPECT_EQ(TestClient(copy).get("/").body, "2");
}

}  // namespace
}  // namespace livetls::web
