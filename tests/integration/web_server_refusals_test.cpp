// What web::Server does not put up with: bad requests, and clients that are slow or disappear.

#include <sys/resource.h>

#include <vector>

#include "integration/web_server_test.hpp"

namespace livetls::web {
namespace {

// ---- Refusals ----------------------------------------------------------------------------------

struct Refusal {
  const char* name;
  std::string request;
  unsigned status;
};

/// What must have been counted where this status was answered.
std::uint64_t counted(const ServerCounters& counters, unsigned status) {
  if (status == 431) return counters.header_too_large;
  if (status == 413) return counters.body_too_large;
  return counters.malformed;
}

class WebServerRefuses : public WebServer, public testing::WithParamInterface<Refusal> {};

TEST_P(WebServerRefuses, WithItsStatusAndCloses) {
  start({.max_header_bytes = 1024, .max_header_fields = 10, .max_body_bytes = 10});
  PlainClient client = connect();
  client.send(GetParam().request);
  const HttpResponse response = client.response();
  EXPECT_EQ(response.result_int(), GetParam().status);
  EXPECT_EQ(response["Connection"], "close");
  EXPECT_TRUE(client.ends_quietly()) << "nothing behind it may be answered";
  EXPECT_EQ(ask(get("/")).body(), "hello");
  EXPECT_EQ(counted(server_->counters(), GetParam().status), 1U);
}

const std::string kSmuggled = "GET /users/smuggled HTTP/1.1\r\nHost: h\r\n\r\n";

INSTANTIATE_TEST_SUITE_P(
    All, WebServerRefuses,
    testing::Values(
        Refusal{"Garbage", "\x16\x03\x01\x02 garbage\r\n\r\n", 400},
        Refusal{"NoHost", "GET / HTTP/1.1\r\n\r\n" + kSmuggled, 400},
        Refusal{"TwoHosts", get("/", "Host: i\r\n") + kSmuggled, 400},
        Refusal{"LengthAndCoding",
                "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n"
                "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" +
                    kSmuggled,
                400},
        Refusal{"TwoLengths",
                "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n" +
                    kSmuggled,
                400},
        Refusal{"SpaceBeforeColon", get("/", "X : y\r\n") + kSmuggled, 400},
        Refusal{"BareLineFeeds", "GET / HTTP/1.1\nHost: h\n\n" + kSmuggled, 400},
        Refusal{"FoldedField", get("/", "X: a\r\n b\r\n") + kSmuggled, 400},
        Refusal{"BadEscape", get("/%zz") + kSmuggled, 400},
        Refusal{"PathThatIsNoUtf8", get("/%ff") + kSmuggled, 400},
        Refusal{"NulInAField", get("/", std::string("X: a\0b\r\n", 8)) + kSmuggled, 400},
        Refusal{"OtherAuthority", "GET http://other/ HTTP/1.1\r\nHost: h\r\n\r\n" + kSmuggled, 400},
        Refusal{"CodingWithTail",
                "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, "
                "identity\r\n\r\n0\r\n\r\n" +
                    kSmuggled,
                501},
        Refusal{"DotSegments", get("/users/../../etc/passwd") + kSmuggled, 400},
        Refusal{"UnknownCoding",
                "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n" + kSmuggled,
                501},
        Refusal{"OddCoding",
                "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n" + kSmuggled,
                501},
        Refusal{"CodingAfterATab",
                "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\x0b"
                "chunked\r\n\r\n0\r\n\r\n" +
                    kSmuggled,
                400},
        Refusal{"TooManyFields",
                get("/", "A:\r\nB:\r\nC:\r\nD:\r\nE:\r\nF:\r\nG:\r\nH:\r\nI:\r\nJ:\r\n"), 431},
        Refusal{"UnknownExpectation", get("/", "Expect: cake\r\n") + kSmuggled, 417},
        Refusal{
            "BadChunk",
            "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n" + kSmuggled,
            400},
        Refusal{"BodyOverLimit", post("12345678901"), 413},
        Refusal{"ChunksOverLimit",
                "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n", 413},
        Refusal{"HeaderOverLimit", get("/", "X: " + std::string(1024, 'x') + "\r\n"), 431},
        Refusal{"EndlessHeader", "GET /" + std::string(5000, 'x'), 431},
        Refusal{"Http2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        Refusal{"Http12", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", 505}),
    [](const auto& test) { return test.param.name; });

TEST_F(WebServer, RefusesAChunkHeaderWithoutEnd) {
  start();
  PlainClient client = connect();
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;" +
              std::string(64 * 1024, 'x'));
  EXPECT_EQ(client.response().result_int(), 400U);
}

// ---- Patience ----------------------------------------------------------------------------------

TEST_F(WebServer, AHeaderThatDoesNotEndIs408) {
  start({.header_timeout = kNotTooShort});
  PlainClient client = connect();
  client.send("GET / HTTP/1.1\r\nHo");
  EXPECT_EQ(client.response().result_int(), 408U);
  EXPECT_TRUE(client.ends_quietly());
  EXPECT_EQ(server_->counters().header_timed_out, 1U);
}

TEST_F(WebServer, ABodyThatDoesNotEndIs408) {
  start({.body_timeout = kShort});
  PlainClient client = connect();
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhel");
  EXPECT_EQ(client.response().result_int(), 408U);
  EXPECT_TRUE(client.ends_quietly());
  EXPECT_EQ(server_->counters().body_timed_out, 1U);
}

TEST_F(WebServer, ABodyThatEndsEarlyIsNoRequest) {
  start();
  PlainClient client = connect();
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhel");
  client.finish_sending();
  EXPECT_TRUE(client.ends_quietly());
  EXPECT_EQ(server_->counters().client_gone, 1U);
}

TEST_F(WebServer, AClientThatSaysNothingIsLeftWithoutAWord) {
  start({.header_timeout = kShort});
  EXPECT_TRUE(connect().ends_quietly());
  EXPECT_EQ(server_->counters().header_timed_out, 1U);
}

TEST_F(WebServer, AThousandClientsThatSayNothingHarmNobody) {
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = files.rlim_max;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
  start({.header_timeout = kNotTooShort});
  boost::asio::io_context io;
  std::vector<TcpSocket> silent;
  for (int i = 0; i < 1000; ++i) {
    silent.push_back(test::connected_socket(io, server_->port(), "127.0.0.1"));
    if (i % 100 == 0) {
      EXPECT_EQ(ask(get("/")).body(), "hello");
    }
  }
  EXPECT_TRUE(eventually([&] { return server_->counters().header_timed_out == 1000; }));
  EXPECT_EQ(server_->counters().requests, 10U);
}

TEST_F(WebServer, AnIdleConnectionEndsWithoutAWord) {
  start({.idle_timeout = kShort});
  PlainClient client = connect();
  EXPECT_EQ(client.get("/").body(), "hello");
  EXPECT_TRUE(client.ends_quietly());
}

TEST_F(WebServer, TheHandlerHasNoDeadline) {
  start({.header_timeout = kNotTooShort, .idle_timeout = kShort});
  PlainClient client = connect();
  client.send(get("/gate"));
  ASSERT_TRUE(eventually([&] { return gate_.waiting() == 1; }));
  EXPECT_TRUE(connect().ends_quietly()) << "by now the time is over";
  gate_.open();
  EXPECT_EQ(client.response().body(), "passed");
}

TEST_F(WebServer, AClientThatDoesNotReadIsCutOff) {
  start({.write_timeout = kShort});
  PlainClient client = connect();
  client.send(get("/big"));
  EXPECT_TRUE(eventually([&] { return server_->counters().write_timed_out == 1; }));
  EXPECT_TRUE(eventually([&] { return server_->counters().open_connections == 0; }));
}

// ---- Clients that disappear --------------------------------------------------------------------

TEST_F(WebServer, OutlivesClientsThatDisappearAtAnyPoint) {
  start();
  const std::string whole = post("hello") + get("/big");
  for (const bool with_reset : {false, true}) {
    for (std::size_t sent = 0; sent <= whole.size(); sent += 7) {
      PlainClient client = connect();
      client.send(whole.substr(0, sent));
      with_reset ? client.reset() : client.vanish();
    }
  }
  EXPECT_TRUE(eventually([&] { return server_->counters().open_connections == 0; }));
  EXPECT_EQ(ask(get("/")).body(), "hello");
}

}  // namespace
}  // namespace livetls::web
