#include "livetls/web/router.hpp"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <stdexcept>

#include "livetls/web/testing.hpp"

namespace livetls::web {
namespace {

namespace asio = boost::asio;

Response ask(const Router& router, Method method, std::string_view target) {
  return TestClient(router).send(method, target);
}

Response get(const Router& router, std::string target) {
  return ask(router, Method::get, std::move(target));
}

auto says(std::string text) {
  return [text = std::move(text)](Request&) { return Response::text(text); };
}

Response show_id(Request& request) { return Response::text("id=" + request.param("id")); }

Task<Response> later(Request& request) {
  co_await asio::post(co_await asio::this_coro::executor, use_task);
  co_return Response::text("later " + request.method_text);
}

TEST(Router, FindsExactPaths) {
  Router router;
  router.get("/", says("root")).get("/a", says("a")).get("/a/b", says("ab")).get("/a/", says("a/"));
  EXPECT_EQ(get(router, "/").body, "root");
  EXPECT_EQ(get(router, "/a").body, "a");
  EXPECT_EQ(get(router, "/a/b").body, "ab");
  EXPECT_EQ(get(router, "/a/").body, "a/");
  EXPECT_EQ(get(router, "/a?b=/a/b").body, "a");
}

TEST(Router, AnUnknownPathIs404) {
  Router router;
  router.get("/a/b", says("ab"));
  for (const char* path : {"/", "/a", "/a/", "/a/b/", "/a/b/c", "/A/b", "//a/b", "/a//b"}) {
    EXPECT_EQ(get(router, path).status_code, 404) << path;
  }
}

TEST(Router, RunsFunctionsAndCoroutines) {
  Router router;
  router.get("/now", says("now")).get("/later", later);
  EXPECT_EQ(get(router, "/now").body, "now");
  EXPECT_EQ(get(router, "/later").body, "later GET");
}

TEST(Router, ACoroutineLambdaMayUseItsCapturesWhileTheRouterLives) {
  const std::string word = "a word too long for the small-string optimisation";
  Router router;
  const auto handler = [word](Request&) -> Task<Response> {
    co_await asio::post(co_await asio::this_coro::executor, use_task);
    co_return Response::text(word);
  };
  router.get("/", handler);
  EXPECT_EQ(get(router, "/").body, word);
}

TEST(Router, ANameStandsForOneSegmentThatIsNotEmpty) {
  Router router;
  router.get("/users/{id}", show_id);
  EXPECT_EQ(get(router, "/users/7").body, "id=7");
  EXPECT_EQ(get(router, "/users/").status_code, 404);
  EXPECT_EQ(get(router, "/users/7/").status_code, 404);
  EXPECT_EQ(get(router, "/users/7/8").status_code, 404);
}

TEST(Router, DecodesSegmentsOneByOne) {
  Router router;
  router.get("/users/{id}", show_id).get("/caf\xc3\xa9", says("coffee"));
  EXPECT_EQ(get(router, "/users/J%C3%B6rg%20B").body, "id=J\xc3\xb6rg B");
  EXPECT_EQ(get(router, "/users/a%2Fb").body, "id=a/b");
  EXPECT_EQ(get(router, "/users/a+b").body, "id=a+b");
  EXPECT_EQ(get(router, "/us%65rs/1").body, "id=1");
  EXPECT_EQ(get(router, "/caf%C3%A9").body, "coffee");
  EXPECT_EQ(get(router, "/users/%zz").status_code, 404);
  EXPECT_EQ(get(router, "/users/%00").status_code, 404);
}

TEST(Router, TextGoesBeforeNamesAndBothAreTried) {
  Router router;
  router.get("/users/me", says("me")).get("/users/{id}", show_id);
  router.get("/users/me/photo", says("photo")).get("/users/{id}/posts", show_id);
  EXPECT_EQ(get(router, "/users/me").body, "me");
  EXPECT_EQ(get(router, "/users/you").body, "id=you");
  EXPECT_EQ(get(router, "/users/me/photo").body, "photo");
  EXPECT_EQ(get(router, "/users/me/posts").body, "id=me");
  EXPECT_EQ(get(router, "/users/you/photo").status_code, 404);
}

TEST(Router, RoutesMayNameTheSameSegmentDifferently) {
  Router router;
  router.get("/{id}", show_id);
  router.del("/{user}", [](Request& r) { return Response::text("user=" + r.param("user")); });
  EXPECT_EQ(get(router, "/7").body, "id=7");
  EXPECT_EQ(ask(router, Method::del, "/7").body, "user=7");
}

TEST(Router, EveryMethodHasItsRoute) {
  Router router;
  router.get("/", says("get")).post("/", says("post")).put("/", says("put"));
  router.patch("/", says("patch")).del("/", says("delete"));
  router.add(Method::head, "/", says("head")).add(Method::options, "/", says("options"));
  EXPECT_EQ(ask(router, Method::get, "/").body, "get");
  EXPECT_EQ(ask(router, Method::post, "/").body, "post");
  EXPECT_EQ(ask(router, Method::put, "/").body, "put");
  EXPECT_EQ(ask(router, Method::patch, "/").body, "patch");
  EXPECT_EQ(ask(router, Method::del, "/").body, "delete");
  EXPECT_EQ(ask(router, Method::head, "/").body, "head");
  EXPECT_EQ(ask(router, Method::options, "/").body, "options");
}

TEST(Router, HeadIsAnsweredByGet) {
  Router router;
  router.get("/", later).post("/only-post", says("post"));
  EXPECT_EQ(ask(router, Method::head, "/").body, "later HEAD");
  EXPECT_EQ(ask(router, Method::head, "/only-post").status_code, 405);
}

TEST(Router, AMethodThatThePathDoesNotHaveIs405WithThoseItHas) {
  Router router;
  router.get("/a", says("a")).del("/a", says("gone")).post("/b", says("b"));
  const Response on_a = ask(router, Method::put, "/a");
  EXPECT_EQ(on_a.status_code, 405);
  EXPECT_EQ(on_a.headers["Allow"], "GET, HEAD, DELETE, OPTIONS");
  EXPECT_EQ(ask(router, Method::get, "/b").headers["Allow"], "POST, OPTIONS");
  EXPECT_EQ(ask(router, Method::other, "/b").status_code, 405);
}

TEST(Router, OptionsTellsTheMethods) {
  Router router;
  router.get("/a", says("a"));
  const Response response = ask(router, Method::options, "/a");
  EXPECT_EQ(response.status_code, 204);
  EXPECT_EQ(response.headers["Allow"], "GET, HEAD, OPTIONS");
  EXPECT_EQ(ask(router, Method::options, "/b").status_code, 404);
  EXPECT_EQ(ask(router, Method::options, "*").status_code, 204);
}

TEST(Router, IsAValue) {
  Router original;
  original.get("/a", says("a"));
  const Router copy = original;
  original.get("/b", says("b"));
  EXPECT_EQ(get(copy, "/a").body, "a");
  EXPECT_EQ(get(copy, "/b").status_code, 404);
}

TEST(Router, RefusesWhatIsRegisteredAlready) {
  Router router;
  router.get("/users/{id}", show_id);
  try {
    router.get("/users/{name}", show_id);
    FAIL() << "registered twice";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), R"(the route "/users/{name}" is registered for GET already)");
  }
  EXPECT_EQ(get(router, "/users/1").body, "id=1");
}

TEST(Router, RefusesMalformedPatternsAndChangesNothing) {
  Router router;
  for (const char* pattern :
       {"/{a...}/b", "/{a:float}", "/{:int}", "/{...}", "/{a...", "a",      "a/b",
        "/{",        "/}",         "/{}",     "/{id",   "/id}",   "/a{id}", "/{id}b",
        "/{a b}",    "/{a}/{a}",   "/a?b",    "/a#b",   "/../a",  "/a/."}) {
    EXPECT_THROW(router.get(pattern, says("x")), std::invalid_argument) << pattern;
  }
  EXPECT_THROW(router.add(Method::other, "/", says("x")), std::invalid_argument);
  EXPECT_EQ(get(router, "/").status_code, 404);
}

TEST(Router, NumbersGoBeforeNamesAndTakeDigitsOnly) {
  Router router;
  router.get("/users/{id:int}", show_id).get("/users/{name}", says("name"));
  router.get("/users/me", says("me")).get("/pages/{page:int}", says("page"));
  for (const char* number : {"7", "-7", "007", "%37"}) {
    EXPECT_TRUE(get(router, std::string("/users/") + number).body.starts_with("id=")) << number;
  }
  for (const char* name : {"7a", "-", "+7", "1.5", "a7"}) {
    EXPECT_EQ(get(router, std::string("/users/") + name).body, "name") << name;
  }
  EXPECT_EQ(get(router, "/users/me").body, "me");
  EXPECT_EQ(get(router, "/pages/one").status_code, 404);
}

TEST(Router, ARestTakesWhatNothingElseTakes) {
  Router router;
  router.get("/files/{path...}", [](Request& request) { return request.param("path"); });
  router.get("/files/list", says("list")).get("/files/{name}/size", says("size"));
  EXPECT_EQ(get(router, "/files/a/b%20c/d").body, "a/b c/d");
  EXPECT_EQ(get(router, "/files/").body, "");
  EXPECT_EQ(get(router, "/files/").status_code, 200);
  EXPECT_EQ(get(router, "/files").status_code, 404);
  EXPECT_EQ(get(router, "/files/list").body, "list");
  EXPECT_EQ(get(router, "/files/list/").body, "list/");
  EXPECT_EQ(get(router, "/files/a/size").body, "size");
  EXPECT_EQ(get(router, "/files/a/size/b").body, "a/size/b");
}

TEST(Router, GroupsShareAPrefix) {
  Router router;
  router.get("/", says("root"));
  router.group("/users/{id}", [](Router& user) {
    user.get("", show_id);
    user.group("/posts/", [](Router& posts) {
      posts.get("/{post}", [](Request& request) {
        return request.param("id") + " " + request.param("post") + " " +
               std::string(request.route());
      });
    });
  });
  EXPECT_EQ(get(router, "/users/7").body, "id=7");
  EXPECT_EQ(get(router, "/users/7/posts/x").body, "7 x /users/{id}/posts/{post}");
  EXPECT_EQ(get(router, "/users/7/").status_code, 404);
}

TEST(Router, ARouterIsMountedAsItIs) {
  Router inner;
  inner.get("/a", says("inner"));
  Router router;
  router.mount("/x", inner).mount("/y", inner);
  inner.get("/b", says("later"));
  EXPECT_EQ(get(router, "/x/a").body, "inner");
  EXPECT_EQ(get(router, "/y/a").body, "inner");
  EXPECT_EQ(get(router, "/x/b").status_code, 404);
  EXPECT_THROW(router.mount("/x", inner), std::invalid_argument);
}

TEST(Router, EveryHostHasItsRoutes) {
  Router api, any;
  api.get("/", says("api"));
  any.get("/", says("any"));
  Router router;
  router.get("/", says("other")).host("API.example.com", api).host("*.example.com", any);
  const auto at = [&](const char* host) {
    TestClient client(router);
    client.headers.set("Host", host);
    return client.get("/").body;
  };
  EXPECT_EQ(at("api.example.com"), "api");
  EXPECT_EQ(at("Api.Example.COM:8443"), "api");
  EXPECT_EQ(at("www.example.com"), "any");
  EXPECT_EQ(at("a.b.example.com"), "other");
  EXPECT_EQ(at("example.com"), "other");
  EXPECT_EQ(at("[::1]:8443"), "other");
  EXPECT_THROW(router.host("api.EXAMPLE.com", any), std::invalid_argument);
  EXPECT_THROW(Router().mount("/x", router), std::invalid_argument);
}

}  // namespace
}  // namespace livetls::web
