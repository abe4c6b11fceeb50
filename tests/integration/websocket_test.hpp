#pragma once

// What the tests of WebSockets have in common.

#include <boost/asio/this_coro.hpp>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "integration/web_server_test.hpp"
#include "livetls/async/race.hpp"
#include "livetls/async/timer.hpp"
#include "livetls/net/socket.hpp"
#include "livetls/web/websocket.hpp"
#include "support/websocket_client.hpp"

namespace livetls::web {

namespace ws = boost::beast::websocket;
using test::WebSocketClient;

inline Task<void> wait_for(std::chrono::milliseconds time) {
  Timer timer(co_await boost::asio::this_coro::executor, time);
  co_await timer.async_wait(use_task);
}

inline Task<void> receive_and_drop(WebSocket& socket) { co_await socket.receive(); }

inline Task<void> echo(WebSocket& socket) {
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
                 Task<void> message = receive_and_drop(socket);
                 Task<void> patience = wait_for(1ms);
                 co_await first_of(std::move(message), std::move(patience));
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

}  // namespace livetls::web
