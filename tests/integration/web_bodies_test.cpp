// Bodies of requests that handlers receive in pieces or not at all, and bodies of responses that
// are made while they are sent.

#include "integration/web_server_test.hpp"
#include "livetls/web/http_error.hpp"
#include "livetls/web/middleware/body_limit.hpp"
#include "livetls/web/middleware/timeout.hpp"

namespace livetls::web {
namespace {

std::string chunk(std::string_view bytes) {
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return size + std::string(bytes) + "\r\n";
}

std::string post_to(std::string_view target, std::string_view fields, std::string_view body = "") {
  return "POST " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n" +
         std::string(body);
}

class Bodies : public WebServer {
 protected:
  Router uploads() {
    Router router;
    router.use(body_limit(16 << 20));
    router.post("/count", Handler::streaming([](Request& request) -> Task<std::string> {
                  std::size_t bytes = 0;
                  std::string piece;
                  while (co_await request.read_body(piece)) {
                    bytes += piece.size();
                    piece.clear();
                  }
                  co_return std::to_string(bytes);
                }));
    router.post("/first", Handler::streaming([this](Request& request) -> Task<std::string> {
                  std::string piece;
                  co_await request.read_body(piece);
                  co_await gate_.pass();
                  co_return piece;
                }));
    router.post("/ignore", Handler::streaming([](Request&) { return "ignored"; }));
    router.group("/guarded", [](Router& guarded) {
      guarded.use([](Request&, Next) -> Task<Response> { co_return Response::status(401); });
      guarded.post("/", [](Request& request) { return std::move(request.body); });
    });
    router.group("/small", [](Router& small) {
      small.use(body_limit(5));
      small.post("/", [](Request& request) { return std::move(request.body); });
      small.post("/streamed", Handler::streaming([](Request& request) -> Task<std::string> {
                   std::string body;
                   while (co_await request.read_body(body)) {
                   }
                   co_return body;
                 }));
    });
    router.post("/echo", [](Request& request) { return std::move(request.body); });
    router.get("/", [] { return "hello"; });
    return router;
  }

  static constexpr int kPieces = 1000;

  Router downloads() {
    Router router;
    router.get("/csv", [] {
      return Response::streamed("text/csv", [](BodyWriter& out) -> Task<void> {
        for (int i = 0; i < kPieces; ++i) co_await out.write(std::to_string(i) + "\n");
        co_await out.write("");
      });
    });
    router.get("/known", [] {
      Response response = Response::streamed("text/plain", [](BodyWriter& out) -> Task<void> {
        co_await out.write("hel");
        co_await out.write("lo");
      });
      response.stream_bytes = 5;
      return response;
    });
    router.get("/short", [] {
      Response response = Response::streamed(
          "text/plain", [](BodyWriter& out) -> Task<void> { co_await out.write("hel"); });
      response.stream_bytes = 5;
      return response;
    });
    router.get("/long", [] {
      Response response = Response::streamed("text/plain", [](BodyWriter& out) -> Task<void> {
        co_await out.write("hello");
        co_await out.write("surplus");
      });
      response.stream_bytes = 5;
      return response;
    });
    router.get("/fails", [] {
      return Response::streamed("text/plain", [](BodyWriter& out) -> Task<void> {
        co_await out.write("the beginning");
        throw std::runtime_error("the disk is gone");
      });
    });
    router.get("/endless", [this] {
      return Response::streamed("text/plain", [this](BodyWriter& out) -> Task<void> {
        const std::string piece(64 * 1024, 'x');
        for (;;) {
          co_await out.write(piece);
          ++written_;
        }
      });
    });
    return router;
  }

  static std::string csv() {
    std::string text;
    for (int i = 0; i < kPieces; ++i) text += std::to_string(i) + "\n";
    return text;
  }

  std::atomic<int> written_ = 0;
};

// ---- Requests ----------------------------------------------------------------------------------

TEST_F(Bodies, AreStreamedIntoHandlersWhateverTheirSize) {
  start(uploads(), {.max_body_bytes = 10});
  PlainClient client = connect();
  const std::string piece(100'000, 'x');
  client.send(post_to("/count", "Transfer-Encoding: chunked\r\n"));
  for (int i = 0; i < 80; ++i) client.send(chunk(piece));
  client.send("0\r\n\r\n");
  EXPECT_EQ(client.response().body(), "8000000");
  client.send(post_to("/count", "Content-Length: 5\r\n", "hello"));
  EXPECT_EQ(client.response().body(), "5");
  client.send(post_to("/count", "Content-Length: 0\r\n"));
  EXPECT_EQ(client.response().body(), "0");
}

TEST_F(Bodies, ComeToAHandlerBeforeTheirEnd) {
  gate_.open();
  start(uploads());
  PlainClient client = connect();
  client.send(post_to("/first", "Content-Length: 10\r\n", "hello"));
  EXPECT_EQ(client.response().body(), "hello");
  client.send("world");  // what nobody wanted
  EXPECT_EQ(client.get("/").body(), "hello");
}

TEST_F(Bodies, ThatAreRefusedEarlyAreNotReceived) {
  start(uploads());
  PlainClient client = connect();
  client.send(post_to("/guarded/", "Content-Length: 10000000\r\nExpect: 100-continue\r\n"));
  const HttpResponse response = client.response();
  EXPECT_EQ(response.result_int(), 401U) << "and no 100";
  EXPECT_EQ(response["Connection"], "close");
  EXPECT_TRUE(client.ends_quietly());
}

TEST_F(Bodies, ThatNobodyReadsCostTheConnectionOnlyWhereTheyAreLong) {
  start(uploads());
  PlainClient client = connect();
  for (const char* path : {"/guarded/", "/ignore", "/none"}) {
    client.send(post_to(path, "Content-Length: 5\r\n", "hello"));
    EXPECT_EQ(client.response().count("Connection"), 0U) << path;
    EXPECT_EQ(client.get("/").body(), "hello") << path;
  }
  client.send(post_to("/ignore", "Content-Length: 100000\r\n"));
  EXPECT_EQ(client.response()["Connection"], "close");
  PlainClient chunked = connect();
  chunked.send(post_to("/ignore", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"));
  EXPECT_EQ(chunked.response()["Connection"], "close");
}

TEST_F(Bodies, HaveTheLimitOfTheirRoute) {
  start(uploads(), {.max_body_bytes = 10});
  for (const char* path : {"/small/", "/small/streamed"}) {
    PlainClient client = connect();
    client.send(post_to(path, "Content-Length: 5\r\n", "12345"));
    EXPECT_EQ(client.response().body(), "12345");
    client.send(post_to(path, "Content-Length: 6\r\n"));
    const HttpResponse announced = client.response();
    EXPECT_EQ(announced.result_int(), 413U);
    EXPECT_EQ(announced["Connection"], "close");
    PlainClient chunked = connect();
    chunked.send(post_to(path, "Transfer-Encoding: chunked\r\n", "3\r\n123\r\n3\r\n456\r\n"));
    EXPECT_EQ(chunked.response().result_int(), 413U);
    EXPECT_TRUE(chunked.ends_quietly());
  }
  PlainClient client = connect();
  client.send(post_to("/echo", "Content-Length: 11\r\n", "12345678901"));
  EXPECT_EQ(client.response().body(), "12345678901") << "above the server's, below the route's";
}

TEST_F(Bodies, ThatEndEarlyEndTheHandlerWithoutAWord) {
  start(uploads());
  for (const char* path : {"/count", "/echo"}) {
    PlainClient client = connect();
    client.send(post_to(path, "Content-Length: 10\r\n", "hello"));
    client.finish_sending();
    EXPECT_TRUE(client.ends_quietly());
  }
  EXPECT_EQ(log_.text(), "");
  EXPECT_EQ(ask(get("/")).body(), "hello");
}

TEST_F(Bodies, MustComeAtARate) {
  start(uploads(), {.body_timeout = kShort, .min_body_rate = 1 << 20});
  PlainClient client = connect();
  client.send(post_to("/count", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"));
  EXPECT_EQ(client.response().result_int(), 408U);
  EXPECT_TRUE(client.ends_quietly());
  PlainClient announced = connect();
  announced.send(post_to("/count", "Content-Length: 10\r\n", "hello"));
  const HttpResponse response = announced.response();
  EXPECT_EQ(response.result_int(), 408U);
  EXPECT_EQ(response["Connection"], "close");
}

TEST_F(Bodies, AreWaitedForNoLongerThanTheMiddlewareAllows) {
  Router router;
  router.use(timeout(kShort));
  router.post("/", [](Request& request) { return std::move(request.body); });
  start(std::move(router));
  PlainClient client = connect();
  client.send(post_to("/", "Content-Length: 10\r\n", "hello"));
  const HttpResponse response = client.response();
  EXPECT_EQ(response.result_int(), 503U);
  EXPECT_EQ(response["Connection"], "close");
}

// ---- Responses ---------------------------------------------------------------------------------

TEST_F(Bodies, AreSentWhileTheyAreMade) {
  start(downloads());
  PlainClient client = connect();
  for (int i = 0; i < 2; ++i) {
    const HttpResponse response = client.get("/csv");
    EXPECT_EQ(response["Transfer-Encoding"], "chunked");
    EXPECT_EQ(response["Content-Type"], "text/csv");
    EXPECT_EQ(response.body(), csv());
  }
  const HttpResponse known = client.get("/known");
  EXPECT_EQ(known["Content-Length"], "5");
  EXPECT_EQ(known.body(), "hello");
}

TEST_F(Bodies, AreNotMadeForHead) {
  start(downloads());
  PlainClient client = connect();
  client.send("HEAD /endless HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.response(true)["Transfer-Encoding"], "chunked");
  EXPECT_EQ(client.get("/known").body(), "hello");
}

TEST_F(Bodies, OfUnknownLengthEndWithTheConnectionOfAnOldClient) {
  start(downloads());
  PlainClient client = connect();
  client.send("GET /csv HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const HttpResponse response = client.response();
  EXPECT_EQ(response.count("Transfer-Encoding"), 0U);
  EXPECT_EQ(response["Connection"], "close");
  EXPECT_EQ(response.body(), csv());
}

TEST_F(Bodies, ThatFailAreNotTakenForWhole) {
  start(downloads());
  for (const char* path : {"/fails", "/short"}) {
    PlainClient client = connect();
    client.send(get(path));
    EXPECT_THROW(client.response(), boost::system::system_error) << path;
  }
  EXPECT_THAT(log_.text(), HasSubstr("the disk is gone"));
  EXPECT_THAT(log_.text(), HasSubstr("it is shorter than was said"));
}

TEST_F(Bodies, ThatAreLongerThanSaidAreCutBeforeTheSurplus) {
  start(downloads());
  PlainClient client = connect();
  EXPECT_EQ(client.get("/long").body(), "hello");
  EXPECT_EQ(client.end(), boost::asio::error::eof);
  EXPECT_FALSE(client.has_surplus());
  EXPECT_THAT(log_.text(), HasSubstr("it is longer than was said"));
}

TEST_F(Bodies, AreMadeNoFasterThanTheClientTakesThem) {
  start(downloads());
  PlainClient client = connect();
  client.send(get("/endless"));
  client.read(1000);
  int before = -1;
  ASSERT_TRUE(eventually([&] { return before == std::exchange(before, written_.load()); }));
  EXPECT_LT(before * 64 / 1024, 64) << "MiB are more than the system's buffers hold";
  client.vanish();
}

TEST_F(Bodies, OfAClientThatTakesNothingAreGivenUp) {
  start(downloads(), {.write_timeout = kShort});
  PlainClient client = connect();
  client.send(get("/endless"));
  EXPECT_TRUE(eventually([&] { return server_->counters().open_connections == 0; }));
  EXPECT_EQ(log_.text(), "");
}

}  // namespace
}  // namespace livetls::web
