#include "integration/websocket_test.hpp"

#include <set>

namespace livetls::web {
namespace {

using Plain = WebSocketClient<TcpSocket>;

constexpr std::string_view kUpgrade =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

TEST_F(WebSockets, CarryMessagesBothWays) {
  start(sockets());
  Plain client(server_->port());
  ASSERT_FALSE(client.handshake());
  for (const std::string& text : {std::string("a"), std::string(), std::string(300'000, 'x')}) {
    EXPECT_FALSE(client.send(text));
    EXPECT_EQ(client.receive(), text);
    EXPECT_TRUE(client.stream().got_text());
  }
  EXPECT_FALSE(client.send("\xff\x00", false));
  EXPECT_EQ(client.receive(), std::string("\xff"));
  EXPECT_TRUE(client.stream().got_binary());
  boost::system::error_code error;
  client.stream().close(ws::close_code::normal, error);
  EXPECT_FALSE(error);
}

TEST_F(WebSockets, CloseWhenTheirHandlerEnds) {
  start(sockets());
  Plain client(server_->port());
  ASSERT_FALSE(client.handshake("/hello"));
  EXPECT_EQ(client.receive(), "hello");
  EXPECT_EQ(client.receive(), "and goodbye");
  EXPECT_EQ(client.receive(), "");
  EXPECT_EQ(client.close_code(), ws::close_code::normal);
}

TEST_F(WebSockets, WhoseHandlerFailsTellTheClientNothing) {
  start(sockets());
  Plain client(server_->port());
  ASSERT_FALSE(client.handshake("/fails"));
  EXPECT_EQ(client.receive(), "");
  EXPECT_EQ(client.close_code(), ws::close_code::internal_error);
  EXPECT_THAT(log_.text(), HasSubstr("the secret"));
}

TEST_F(WebSockets, WhoseHandlerThrowsWhatIsNoExceptionAreClosedAsWell) {
  start(sockets());
  Plain client(server_->port());
  ASSERT_FALSE(client.handshake("/fails-oddly"));
  EXPECT_EQ(client.receive(), "");
  EXPECT_EQ(client.close_code(), ws::close_code::internal_error);
  EXPECT_THAT(log_.text(), HasSubstr("the secret"));
}

TEST_F(WebSockets, GiveUpAClientThatReadsNothing) {
  start(sockets({.write_timeout = kShort}));
  PlainClient client = connect();
  client.send(get("/floods", kUpgrade));
  EXPECT_TRUE(eventually([&] { return server_->counters().open_connections == 0; }));
}

TEST_F(WebSockets, StayWithAHandlerThatDoesNotReceive) {
  start(sockets({.idle_timeout = kShort}));
  Plain client(server_->port());
  ASSERT_FALSE(client.handshake("/thinks"));
  EXPECT_EQ(client.receive(), "42") << "the client answers pings while it waits";
}

TEST_F(WebSockets, LoseNoMessageToAReceiveThatWasCancelled) {
  start(sockets());
  Plain client(server_->port());
  ASSERT_FALSE(client.handshake("/impatient"));
  EXPECT_EQ(client.receive(), "hello?");
  EXPECT_FALSE(client.send("a"));
  EXPECT_EQ(client.receive(), "you said a");
}

TEST_F(WebSockets, AreSentToFromAnyThread) {
  start(sockets());
  Plain one(server_->port()), other(server_->port());
  ASSERT_FALSE(one.handshake("/chat"));
  ASSERT_FALSE(other.handshake("/chat"));
  ASSERT_TRUE(eventually([&] { return members() == 2; }));
  EXPECT_FALSE(one.send("hello, all"));
  EXPECT_EQ(one.receive(), "hello, all");
  EXPECT_EQ(other.receive(), "hello, all");
  tell_all("from the test");
  EXPECT_EQ(other.receive(), "from the test");
}

TEST_F(WebSockets, GiveUpAClientThatTakesTooLittle) {
  start(sockets({.max_queued_bytes = 100'000}));
  Plain client(server_->port());
  ASSERT_FALSE(client.handshake("/chat"));
  ASSERT_TRUE(eventually([&] { return members() == 1; }));
  const std::string piece(50'000, 'x');
  EXPECT_TRUE(eventually([&] {
    for (int i = 0; i < 20; ++i) tell_all(piece);
    return server_->counters().open_connections == 0;
  }));
  tell_all("to nobody");
}

TEST_F(WebSockets, RefuseWhatIsNoHandshake) {
  start(sockets());
  const HttpResponse response = ask(get("/echo"));
  EXPECT_EQ(response.result_int(), 426U);
  EXPECT_EQ(response["Upgrade"], "websocket");
}

TEST_F(WebSockets, RefusePagesOfOtherSites) {
  start(sockets({.origins = {"https://app.example"}}));
  const auto status_for = [&](const std::string& origin) {
    Plain client(server_->port());
    client.handshake("/echo", origin);
    return client.status();
  };
  EXPECT_EQ(status_for("https://localhost"), 101);
  EXPECT_EQ(status_for("https://app.example"), 101);
  for (const char* origin : {"https://evil.example", "null", "https://localhost.evil.example",
                             "https://app.example.evil"}) {
    EXPECT_EQ(status_for(origin), 403) << origin;
  }
}

TEST_F(WebSockets, AreNotForHttp10) {
  start(sockets());
  const HttpResponse response =
      ask("GET /echo HTTP/1.0\r\nHost: h\r\n" + std::string(kUpgrade) + "\r\n");
  EXPECT_EQ(response.result_int(), 426U);
}

TEST_F(WebSockets, RefuseMessagesThatAreTooLarge) {
  start(sockets({.max_message_bytes = 1000}));
  Plain client(server_->port());
  ASSERT_FALSE(client.handshake());
  client.send(std::string(1001, 'x'));
  EXPECT_EQ(client.receive(), "");
  EXPECT_EQ(client.close_code(), ws::close_code::too_big);
}

TEST_F(WebSockets, RefuseTextThatIsNoUtf8) {
  start(sockets());
  Plain client(server_->port());
  ASSERT_FALSE(client.handshake());
  client.send("\xff");
  EXPECT_EQ(client.receive(), "");
  EXPECT_EQ(client.close_code(), ws::close_code::bad_payload);
}

TEST_F(WebSockets, GiveUpAClientThatDoesNotAnswerPings) {
  start(sockets({.idle_timeout = kShort}));
  PlainClient client = connect();
  client.send(get("/echo", kUpgrade));
  EXPECT_EQ(client.read(32), "HTTP/1.1 101 Switching Protocols");
  EXPECT_TRUE(eventually([&] { return server_->counters().open_connections == 0; }));
}

TEST_F(WebSockets, ReadWhatCameWithTheHandshake) {
  start(sockets());
  PlainClient client = connect();
  const std::string masked_a = {'\x81', '\x81', 0, 0, 0, 0, 'a'};
  client.send(get("/echo", kUpgrade) + masked_a);
  std::string text;
  while (text.find("\r\n\r\n") == text.npos) text += client.read(1);
  EXPECT_THAT(text, HasSubstr("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
  EXPECT_EQ(client.read(3),
            "\x81\x01"
            "a");
  client.vanish();
}

TEST_F(WebSockets, CompressWhereTheyAreTold) {
  start(sockets({.deflate = true}));
  Plain client(server_->port());
  ws::permessage_deflate deflate;
  deflate.client_enable = true;
  client.stream().set_option(deflate);
  ASSERT_FALSE(client.handshake());
  const std::string text(100'000, 'x');
  EXPECT_FALSE(client.send(text));
  EXPECT_EQ(client.receive(), text);
}

TEST_F(WebSockets, AreToldThatTheServerStops) {
  start(sockets());
  Plain client(server_->port());
  ASSERT_FALSE(client.handshake());
  EXPECT_FALSE(client.send("a"));
  EXPECT_EQ(client.receive(), "a");
  auto stopped = std::async(std::launch::async, [this] { server_.reset(); });
  EXPECT_EQ(client.receive(), "");
  EXPECT_EQ(client.close_code(), ws::close_code::going_away);
  stopped.get();
  EXPECT_EQ(log_.text(), "");
}

/// The length in a frame's header is no reason to get memory for it.
TEST_F(WebSockets, AreNotEndedByAFrameThatAnnouncesMoreThanThereIs) {
  start(sockets({.max_message_bytes = 1000, .deflate = true}));
  for (const bool compressed : {true, false}) {
    PlainClient client = connect();
    client.send(
        get("/echo", std::string(kUpgrade) + "Sec-WebSocket-Extensions: permessage-deflate\r\n"));
    std::string head;
    while (head.find("\r\n\r\n") == head.npos) head += client.read(1);
    ASSERT_THAT(head, HasSubstr("permessage-deflate"));
    // 2^62 bytes, masked with zeros; of the content, the beginning of a stored block.
    std::string frame("\x82\xff\x40\0\0\0\0\0\0\0\0\0\0\0\0", 15);
    if (compressed) frame[0] = '\xc2';
    client.send(frame);
    try {
      for (const char byte : std::string("\x05\x00\xfa\xff", 4)) {
        let_server_read(runtime_);  // each byte comes by itself
        client.send({&byte, 1});
      }
      let_server_read(runtime_);
      client.send(std::string(100'000, 'x'));
    } catch (const boost::system::system_error&) {
      // it has ended before everything was sent
    }
    EXPECT_TRUE(client.end());
  }
  EXPECT_EQ(ask(get("/")).body(), "hello");
}

TEST_F(WebSockets, TakeLimitsAndDurationsAboveZeroOnly) {
  const auto refused = [](WebSocketOptions options) {
    EXPECT_THROW(websocket(echo, options), std::invalid_argument);
    Request request;
    EXPECT_THROW(upgrade_to_websocket(request, echo, options), std::invalid_argument);
  };
  refused({.max_message_bytes = 0});
  refused({.max_queued_bytes = 0});
  refused({.idle_timeout = 0s});
  refused({.write_timeout = 0s});
  refused({.handshake_timeout = -1s});
}

}  // namespace
}  // namespace livetls::web
