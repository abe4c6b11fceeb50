#include "livetls/web/event_stream.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include "integration/web_server_test.hpp"
#include "livetls/web/http_error.hpp"
#include "livetls/web/testing.hpp"

namespace livetls::web {
namespace {

class Events : public WebServer {
 protected:
  Router events(std::chrono::steady_clock::duration heartbeat = 1h) {
    Router router;
    router.get("/three", [=] {
      return event_stream(
          [](EventStream& out) -> Task<void> {
            co_await out.send("first");
            co_await out.send("a\nb\r\nc\r\n", "lines", "2");
            co_await out.send("");
          },
          heartbeat);
    });
    router.get("/waits", [=, this] {
      return event_stream(
          [this](EventStream& out) -> Task<void> {
            co_await out.send("first");
            boost::asio::steady_timer never(co_await boost::asio::this_coro::executor, 1h);
            ++waiting_;
            co_await never.async_wait(boost::asio::use_awaitable_t<Executor>());
          },
          heartbeat);
    });
    router.get("/fails", [=] {
      return event_stream(
          [](EventStream& out) -> Task<void> { co_await out.send("x", "", "a\nb"); });
    });
    router.get("/stubborn", [=] {
      return event_stream(
          [](EventStream& out) -> Task<void> {
            const std::string data(100'000, 'x');
            for (;;) {
              try {
                co_await out.send(data);
              } catch (const ConnectionLost&) {
              }
            }
          },
          heartbeat);
    });
    router.get("/", [] { return "hello"; });
    return router;
  }

  std::atomic<int> waiting_ = 0;
};

TEST_F(Events, AreWrittenAsBrowsersReadThem) {
  const Router router = events();
  const Response response = TestClient(router).get("/three");
  EXPECT_EQ(response.headers["Content-Type"], "text/event-stream");
  EXPECT_EQ(response.headers["Cache-Control"], "no-cache");
  EXPECT_EQ(response.body,
            "data: first\n\n"
            "event: lines\nid: 2\ndata: a\ndata: b\ndata: c\ndata: \n\n"
            "data: \n\n");
}

TEST_F(Events, ComeAsTheyAreSentAndTheConnectionGoesOnAfterThem) {
  start(events());
  PlainClient client = connect();
  EXPECT_THAT(client.get("/three").body(), testing::StartsWith("data: first\n\n"));
  EXPECT_EQ(client.get("/").body(), "hello");
}

TEST_F(Events, AreFollowedByHeartbeats) {
  start(events(1ms));
  PlainClient client = connect();
  client.send(get("/waits"));
  std::string text;
  while (text.find("data: first\n\n\r\n3\r\n:\n\n\r\n3\r\n:\n\n\r\n") == text.npos) {
    text += client.read(1);
  }
  client.vanish();  // and a beat notices it
}

TEST_F(Events, EndProperlyWhenTheServerStops) {
  start(events());
  PlainClient client = connect();
  client.send(get("/waits"));
  ASSERT_TRUE(eventually([&] { return waiting_ == 1; }));
  server_.reset();
  EXPECT_EQ(client.response().body(), "data: first\n\n");
  EXPECT_TRUE(client.ends_quietly());
  EXPECT_EQ(log_.text(), "");
}

TEST_F(Events, EndWithTheirClientWhateverTheProducerMakesOfIt) {
  start(events());
  PlainClient client = connect();
  client.send(get("/stubborn"));
  client.read(1000);
  client.vanish();
  EXPECT_TRUE(eventually([&] { return server_->counters().open_connections == 0; }));
}

TEST_F(Events, ThatFailCutTheConnection) {
  start(events());
  PlainClient client = connect();
  client.send(get("/fails"));
  EXPECT_THROW(client.response(), boost::system::system_error);
  EXPECT_THAT(log_.text(), HasSubstr("one line"));
}

}  // namespace
}  // namespace livetls::web
