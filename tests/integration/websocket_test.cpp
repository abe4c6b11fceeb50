#include "livetls/web/websocket.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/websocket.hpp>
#include <mutex>
#include <set>
#include <vector>

#include "integration/web_server_test.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "support/test_ca.hpp"

namespace livetls {

/// How Beast ends a WebSocket over TLS.
inline void teardown(boost::beast::role_type, TlsStream<TcpSocket>&, boost::system::error_code&) {}

template <class Handler>
void async_teardown(boost::beast::role_type, TlsStream<TcpSocket>& stream, Handler&& handler) {
  stream.async_shutdown(std::forward<Handler>(handler));
}

}  // namespace livetls

namespace livetls::web {
namespace {

namespace beast = boost::beast;
namespace ws = boost::beast::websocket;

/// A client of Beast's, used as if it were blocking.
template <class Stream>
class Client {
 public:
  template <class... Args>
  explicit Client(std::uint16_t port, Args&&... args)
      : stream_(test::connected_socket(io_, port, "127.0.0.1"), std::forward<Args>(args)...) {}

  ws::stream<Stream>& stream() { return stream_; }

  boost::system::error_code handshake(const std::string& target = "/echo",
                                      const std::string& origin = {}) {
    if (!origin.empty()) {
      stream_.set_option(ws::stream_base::decorator(
          [origin](ws::request_type& request) { request.set("Origin", origin); }));
    }
    return complete(
        [&](auto token) { stream_.async_handshake(response_, "localhost", target, token); });
  }

  int status() const { return static_cast<int>(response_.result_int()); }

  boost::system::error_code send(const std::string& text, bool is_text = true) {
    stream_.text(is_text);
    return complete([&](auto token) { stream_.async_write(boost::asio::buffer(text), token); });
  }

  /// Empty where the connection has ended.
  std::string receive() {
    beast::flat_buffer buffer;
    error_ = complete([&](auto token) { stream_.async_read(buffer, token); });
    return error_ ? std::string() : beast::buffers_to_string(buffer.data());
  }

  int close_code() const { return stream_.reason().code; }
  boost::system::error_code error() const { return error_; }

  template <class Start>
  boost::system::error_code complete(Start start) {
    boost::system::error_code result = boost::asio::error::timed_out;
    start([&result](boost::system::error_code error, std::size_t = 0) { result = error; });
    io_.restart();
    io_.run_for(20s);
    return result;
  }

 private:
  boost::asio::io_context io_;
  ws::stream<Stream> stream_;
  ws::response_type response_;
  boost::system::error_code error_;
};

Task<void> wait_for(std::chrono::milliseconds time) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, time);
  co_await timer.async_wait(boost::asio::use_awaitable_t<Executor>());
}

Task<void> echo(WebSocket& socket) {
  bool open = true;
  while (open) {
    auto message = co_await socket.receive();
    open = message.has_value();
    if (!open) break;
    if (message->is_text) {
      co_await socket.send(std::move(message->data));
    } else {
      co_await socket.send_bytes(std::move(message->data));
    }
  }
}

class WebSockets : public WebServer {
 protected:
  Router sockets(WebSocketOptions options = {}) {
    Router router;
    router.get("/echo", websocket(echo, options));
    router.get("/hello", websocket([](WebSocket& socket) -> Task<void> {
                 co_await socket.send("hello");
                 co_await socket.send("and goodbye");
               }));
    router.get("/fails", websocket([](WebSocket&) -> Task<void> {
                 throw std::runtime_error("the secret");
                 co_return;
               }));
    router.get("/fails-oddly", websocket([](WebSocket&) -> Task<void> {
                 throw Error(Errc::plain_http, "the secret");
                 co_return;
               }));
    router.get("/floods", websocket(
                              [](WebSocket& socket) -> Task<void> {
                                for (;;) co_await socket.send(std::string(50'000, 'x'));
                              },
                              options));
    router.get("/thinks", websocket(
                              [](WebSocket& socket) -> Task<void> {
                                co_await wait_for(4 * kShort);
                                co_await socket.send("42");
                              },
                              options));
    router.get("/impatient", websocket([](WebSocket& socket) -> Task<void> {
                 using namespace boost::asio::experimental::awaitable_operators;
                 auto message = socket.receive();
                 auto patience = wait_for(1ms);
                 auto first = std::move(message) || std::move(patience);
                 co_await std::move(first);
                 co_await socket.send("hello?");
                 const auto late = co_await socket.receive();
                 co_await socket.send("you said " + late->data);
               }));
    router.get("/chat", websocket(
                            [this](WebSocket& socket) -> Task<void> {
                              join(socket.sender());
                              co_await receive_all(socket);
                            },
                            options));
    router.get("/", [] { return "hello"; });
    return router;
  }

  void join(WebSocket::Sender sender) {
    const std::scoped_lock lock(mutex_);
    members_.push_back(sender);
  }

  Task<void> receive_all(WebSocket& socket) {
    bool open = true;
    while (open) {
      const auto message = co_await socket.receive();
      open = message.has_value();
      if (open) tell_all(message->data);
    }
  }

  void tell_all(const std::string& text) {
    const std::scoped_lock lock(mutex_);
    for (const auto& member : members_) member.send(text);
  }

  std::size_t members() {
    const std::scoped_lock lock(mutex_);
    return members_.size();
  }

  std::mutex mutex_;
  std::vector<WebSocket::Sender> members_;
};

using Plain = Client<TcpSocket>;

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
  EXPECT_FALSE(client.complete(
      [&](auto token) { client.stream().async_close(ws::close_code::normal, token); }));
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

class SecureWebSockets : public WebSockets {
 protected:
  using Secure = Client<TlsStream<TcpSocket>>;

  /// Who the server says it is. The WebSocket's handshake is still to come.
  std::string connect_with_tls(Secure& client) {
    EXPECT_FALSE(
        client.complete([&](auto token) { client.stream().next_layer().async_handshake(token); }));
    return client.stream().next_layer().tls().peer_certificate()->subject;
  }

  const test::TestCa ca_;
  const std::shared_ptr<CertManager> manager_ = CertManager::create(ca_.issue("first")).value();
  Server secure_{runtime_, manager_, sockets()};
  const std::shared_ptr<const ClientContext> context_ =
      ClientContext::create({.roots = ca_.roots()}).value();
  const ServerName name_ = ServerName::parse("localhost").value();
};

TEST_F(SecureWebSockets, GoOnWhenTheCertificateChanges) {
  Secure before(secure_.port(), context_, name_), after(secure_.port(), context_, name_);
  EXPECT_THAT(connect_with_tls(before), HasSubstr("first"));
  EXPECT_FALSE(before.handshake());
  ASSERT_TRUE(manager_->update(ca_.issue("second")));
  EXPECT_THAT(connect_with_tls(after), HasSubstr("second"));
  EXPECT_FALSE(after.handshake());
  for (Secure* client : {&before, &after}) {
    EXPECT_FALSE(client->send("still here"));
    EXPECT_EQ(client->receive(), "still here");
  }
}

TEST_F(SecureWebSockets, RefusePagesOfTheirHostThatCameWithoutTls) {
  const auto status_for = [&](const std::string& origin) {
    Secure client(secure_.port(), context_, name_);
    connect_with_tls(client);
    client.handshake("/echo", origin);
    return client.status();
  };
  EXPECT_EQ(status_for("https://localhost"), 101);
  EXPECT_EQ(status_for("http://localhost"), 403);
}

/// Returns when the server has handled what has been sent: between two posted handlers it looks for
/// what has arrived.
void let_server_read(Runtime& runtime) {
  for (std::size_t thread = 0; thread < runtime.threads(); ++thread) {
    for (int i = 0; i < 5; ++i) {
      boost::asio::post(runtime.executor(thread), boost::asio::use_future).get();
    }
  }
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
