// The HTTP side of web::Server: over plain connections, where TLS makes no difference, so that
// every byte is the test's own. What TLS changes is in web_tls_test.cpp.

#include "integration/web_server_test.hpp"

namespace livetls::web {
namespace {

// ---- Requests and answers ----------------------------------------------------------------------

TEST_F(WebServer, AnswersWithLengthAndDate) {
  start();
  const HttpResponse response = ask(get("/"));
  EXPECT_EQ(response.result_int(), 200U);
  EXPECT_EQ(response.version(), 11U);
  EXPECT_EQ(response.body(), "hello");
  EXPECT_EQ(response["Content-Length"], "5");
  EXPECT_EQ(response["Content-Type"], "text/plain; charset=utf-8");
  EXPECT_THAT(std::string(response["Date"]), testing::EndsWith(" GMT"));
  EXPECT_EQ(response.count("Connection"), 0U);
  EXPECT_EQ(response.count("Server"), 0U);
}

TEST_F(WebServer, KeepsTheConnection) {
  start();
  PlainClient client = connect();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(client.get("/users/" + std::to_string(i)).body(), std::to_string(i));
  }
  EXPECT_EQ(server_->counters().accepted, 1U);
}

TEST_F(WebServer, ClosesWhereTheClientAsks) {
  start();
  PlainClient client = connect();
  client.send(get("/", "Connection: close\r\n"));
  EXPECT_EQ(client.response()["Connection"], "close");
  EXPECT_TRUE(client.ends_quietly());
}

TEST_F(WebServer, ClosesWhereTheHandlerAsks) {
  start();
  PlainClient client = connect();
  client.send(get("/closes"));
  const HttpResponse response = client.response();
  EXPECT_EQ(response.body(), "bye");
  EXPECT_EQ(response.count("Connection"), 1U);
  EXPECT_TRUE(client.ends_quietly());
}

TEST_F(WebServer, AnOldClientIsToldThatTheConnectionStays) {
  start();
  PlainClient client = connect();
  client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(client.response()["Connection"], "keep-alive");
  client.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(client.response()["Connection"], "close");
  EXPECT_TRUE(client.ends_quietly());
}

TEST_F(WebServer, AnswersPipelinedRequestsInTheirOrder) {
  start();
  PlainClient client = connect();
  std::string requests;
  for (int i = 0; i < 500; ++i) {
    requests += i % 3 == 0 ? post("body " + std::to_string(i)) : get("/users/" + std::to_string(i));
  }
  client.send(requests + get("/", "Connection: close\r\n"));
  for (int i = 0; i < 500; ++i) {
    EXPECT_EQ(client.response().body(), (i % 3 == 0 ? "body " : "") + std::to_string(i));
  }
  EXPECT_EQ(client.response().body(), "hello");
  EXPECT_TRUE(client.ends_quietly());
}

TEST_F(WebServer, TakesARequestByteByByte) {
  start();
  PlainClient client = connect();
  const std::string request = post("hello") + get("/users/7");
  for (const char byte : request) client.send({&byte, 1});
  EXPECT_EQ(client.response().body(), "hello");
  EXPECT_EQ(client.response().body(), "7");
}

TEST_F(WebServer, PassesOverEmptyLinesBetweenRequests) {
  start();
  PlainClient client = connect();
  client.send("\r\n" + post("a") + "\r\n\r\n" + get("/"));
  EXPECT_EQ(client.response().body(), "a");
  EXPECT_EQ(client.response().body(), "hello");
}

TEST_F(WebServer, AnswersAClientThatHasFinishedSending) {
  start();
  PlainClient client = connect();
  client.send(get("/"));
  client.finish_sending();
  EXPECT_EQ(client.response().body(), "hello");
  EXPECT_TRUE(client.ends_quietly());
}

TEST_F(WebServer, HeadHasTheLengthOfGetAndNoBody) {
  start();
  PlainClient client = connect();
  client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
  const HttpResponse response = client.response(true);
  EXPECT_EQ(response.result_int(), 200U);
  EXPECT_EQ(response["Content-Length"], "5");
  EXPECT_EQ(client.get("/").body(), "hello") << "the next response follows at once";
}

TEST_F(WebServer, A204HasNeitherBodyNorLength) {
  start();
  PlainClient client = connect();
  const HttpResponse response = client.get("/empty");
  EXPECT_EQ(response.result_int(), 204U);
  EXPECT_EQ(response.count("Content-Length"), 0U);
  EXPECT_EQ(client.get("/").body(), "hello");
}

TEST_F(WebServer, UnknownPathsAndMethodsLeaveTheConnection) {
  start();
  PlainClient client = connect();
  EXPECT_EQ(client.get("/nothing").result_int(), 404U);
  client.send("DELETE / HTTP/1.1\r\nHost: h\r\n\r\n");
  const HttpResponse not_allowed = client.response();
  EXPECT_EQ(not_allowed.result_int(), 405U);
  EXPECT_EQ(not_allowed["Allow"], "GET, HEAD, OPTIONS");
  client.send("OPTIONS /echo HTTP/1.1\r\nHost: h\r\n\r\n");
  const HttpResponse options = client.response();
  EXPECT_EQ(options.result_int(), 204U);
  EXPECT_EQ(options["Allow"], "POST, OPTIONS");
  EXPECT_EQ(client.get("/").body(), "hello");
}

TEST_F(WebServer, TakesBodiesUpToTheLimit) {
  start({.max_body_bytes = 100'000});
  PlainClient client = connect();
  const std::string body(100'000, 'b');
  client.send(post(body));
  EXPECT_EQ(client.response().body(), body);
  client.send(
      "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n");
  EXPECT_EQ(client.response().body(), "hello world");
}

TEST_F(WebServer, SendsBigBodiesWhole) {
  start();
  EXPECT_EQ(ask(get("/big")).body(), std::string(kBig, 'x'));
}

TEST_F(WebServer, SaysContinueBeforeTheBody) {
  start();
  PlainClient client = connect();
  client.send(
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read(25), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hello");
  EXPECT_EQ(client.response().body(), "hello");
}

TEST_F(WebServer, SaysNoContinueWhereTheBodyIsThereAlready) {
  start();
  PlainClient client = connect();
  client.send(
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello");
  EXPECT_EQ(client.response().body(), "hello");
}

TEST_F(WebServer, RefusesABodyInsteadOfContinue) {
  start({.max_body_bytes = 4});
  PlainClient client = connect();
  client.send(
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.response().result_int(), 413U);
  EXPECT_TRUE(client.ends_quietly());
}

// ---- Handlers that fail ------------------------------------------------------------------------

TEST_F(WebServer, AnExceptionIsA500ThatTellsOnlyTheOperator) {
  start();
  PlainClient client = connect();
  const HttpResponse response = client.get("/throws?token=private");
  EXPECT_EQ(response.result_int(), 500U);
  EXPECT_THAT(response.body(), HasSubstr("Internal Server Error"));
  EXPECT_THAT(response.body(), Not(HasSubstr("secret")));
  EXPECT_THAT(log_.text(), HasSubstr("GET /throws, failed: the secret"));
  EXPECT_THAT(log_.text(), Not(HasSubstr("private")));
  EXPECT_EQ(client.get("/throws-7").result_int(), 500U);
  EXPECT_EQ(client.get("/").body(), "hello") << "the connection goes on";
}

TEST_F(WebServer, CountsRequestsAndThoseThatFailed) {
  start();
  PlainClient client = connect();
  for (const char* target : {"/", "/nowhere", "/throws", "/injects?v=%0a"}) client.get(target);
  EXPECT_EQ(server_->counters().requests, 4U);
  EXPECT_EQ(server_->counters().failed, 2U);
  EXPECT_EQ(server_->counters().malformed, 0U);
}

TEST_F(WebServer, AHandlerCannotInjectFields) {
  start();
  PlainClient client = connect();
  EXPECT_EQ(client.get("/injects?v=fine")["X"], "fine");
  const HttpResponse response = client.get("/injects?v=a%0D%0ASet-Cookie:%20b");
  EXPECT_EQ(response.result_int(), 500U);
  EXPECT_EQ(response.count("Set-Cookie"), 0U);
  EXPECT_THAT(log_.text(), HasSubstr("line break"));
}

TEST_F(WebServer, AHandlerCannotChangeWhereItsResponseEnds) {
  start();
  PlainClient client = connect();
  EXPECT_EQ(client.get("/frames").result_int(), 500U);
  EXPECT_THAT(log_.text(), HasSubstr("Content-Length"));
  EXPECT_EQ(client.get("/").body(), "hello");
}

TEST_F(WebServer, AConnectionEndsWithItsLastRequest) {
  start({.max_requests = 2});
  PlainClient client = connect();
  EXPECT_EQ(client.get("/").count("Connection"), 0U);
  EXPECT_EQ(client.get("/")["Connection"], "close");
  EXPECT_TRUE(client.ends_quietly());
}

// ---- Stopping ----------------------------------------------------------------------------------

TEST_F(WebServer, FinishesTheRequestsThatHaveBegun) {
  start();
  PlainClient waiting = connect();
  waiting.send(get("/gate") + get("/users/pipelined"));
  PlainClient in_header = connect();
  EXPECT_EQ(in_header.get("/").body(), "hello");
  in_header.send("GET /users/header HTTP/1.1\r\nHo");
  PlainClient in_body = connect();
  in_body.send(
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  in_body.read(25);
  PlainClient idle = connect();
  EXPECT_EQ(idle.get("/").body(), "hello");
  ASSERT_TRUE(eventually([&] { return gate_.waiting() == 1; }));

  const std::uint16_t port = server_->port();
  auto stopped = std::async(std::launch::async, [this] { server_.reset(); });
  EXPECT_TRUE(idle.ends_quietly());
  EXPECT_TRUE(eventually([&] { return test::refuses_connections(port); }));

  in_header.send("st: h\r\n\r\n");
  in_body.send("hello");
  gate_.open();
  const HttpResponse passed = waiting.response();
  EXPECT_EQ(passed.body(), "passed");
  EXPECT_EQ(passed["Connection"], "close");
  EXPECT_TRUE(waiting.ends_quietly()) << "what comes behind `close` is the client's to repeat";
  const HttpResponse header = in_header.response();
  EXPECT_EQ(header.body(), "header");
  EXPECT_EQ(header["Connection"], "close");
  EXPECT_TRUE(in_header.ends_quietly());
  const HttpResponse body = in_body.response();
  EXPECT_EQ(body.body(), "hello");
  EXPECT_EQ(body["Connection"], "close");
  EXPECT_TRUE(in_body.ends_quietly());
  stopped.get();
}

TEST_F(WebServer, IdleConnectionsDoNotDelayAStop) {
  start();
  PlainClient idle = connect();
  EXPECT_EQ(idle.get("/").body(), "hello");
  PlainClient silent = connect();
  ASSERT_TRUE(eventually([&] { return server_->counters().open_connections == 2; }));
  const auto begin = std::chrono::steady_clock::now();
  server_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s) << "the grace is 30 s";
  EXPECT_TRUE(idle.ends_quietly());
  EXPECT_TRUE(silent.ends_quietly());
}

TEST_F(WebServer, AHandlerThatDoesNotReturnIsEndedAfterTheGrace) {
  test::RunningRuntime impatient(kShort);
  std::optional<Server> server;
  server.emplace(impatient, nullptr, router(), ServerOptions{.plain = true});
  PlainClient client = test::plain_client(server->port());
  client.send(get("/gate"));
  ASSERT_TRUE(eventually([&] { return gate_.waiting() == 1; }));
  server.reset();
  EXPECT_TRUE(client.end());
  EXPECT_THAT(log_.text(), Not(HasSubstr("failed"))) << "it was ended, it did not fail";
}

TEST_F(WebServer, TheRuntimesStopEndsItToo) {
  start();
  PlainClient client = connect();
  EXPECT_EQ(client.get("/").body(), "hello");
  runtime_->stop();
  runtime_->run();
  EXPECT_TRUE(client.ends_quietly());
  EXPECT_EQ(server_->counters().open_connections, 0U);
}

// ---- Options -----------------------------------------------------------------------------------

TEST_F(WebServer, RefusesOptionsOutOfRange) {
  const auto make = [&](ServerOptions options) {
    options.plain = true;
    Server(runtime_, nullptr, Router(), options);
  };
  EXPECT_THROW(make({.header_timeout = 0s}), std::invalid_argument);
  EXPECT_THROW(make({.body_timeout = -1s}), std::invalid_argument);
  EXPECT_THROW(make({.idle_timeout = 0s}), std::invalid_argument);
  EXPECT_THROW(make({.write_timeout = 0s}), std::invalid_argument);
  EXPECT_THROW(make({.max_header_bytes = 255}), std::invalid_argument);
  EXPECT_THROW(make({.max_header_fields = 0}), std::invalid_argument);
  EXPECT_THROW(make({.max_requests = 0}), std::invalid_argument);
  EXPECT_THROW(make({.max_body_bytes = 0}), std::invalid_argument);
  EXPECT_THROW(make({.min_body_rate = 0}), std::invalid_argument);
  EXPECT_THROW(make({.address = "localhost"}), std::invalid_argument);
  EXPECT_THROW(Server(runtime_, nullptr, Router()), std::invalid_argument) << "plain was not said";
}

TEST_F(WebServer, AnswersCurl) {
  start();
  const std::string url = "http://127.0.0.1:" + std::to_string(server_->port());
  const auto got = test::run({"curl", "-sS", "--noproxy", "*", url + "/users/J%C3%B6rg"});
  EXPECT_EQ(got.output, "J\xc3\xb6rg");
  const std::string body(50'000, 'b');
  const auto posted = test::run(
      {"curl", "-sS", "--noproxy", "*", "-H", "Expect: 100-continue", "-d", body, url + "/echo"});
  EXPECT_EQ(posted.output, body);
}

}  // namespace
}  // namespace livetls::web
