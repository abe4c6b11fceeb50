#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_future.hpp>

#include "integration/websocket_test.hpp"
#include "livetls/async/race.hpp"
#include "livetls/async/timer.hpp"

namespace livetls::web {
namespace {

Task<void> wait_for(std::chrono::milliseconds time) {
  Timer timer(co_await boost::asio::this_coro::executor, time);
  co_await timer.async_wait(use_task);
}

Task<void> receive_and_drop(WebSocket& socket) { co_await socket.receive(); }

}  // namespace

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

void let_server_read(Runtime& runtime) {
  for (std::size_t thread = 0; thread < runtime.threads(); ++thread) {
    for (int i = 0; i < 5; ++i) {
      boost::asio::post(runtime.executor(thread), boost::asio::use_future).get();
    }
  }
}

Router WebSockets::sockets(WebSocketOptions options) {
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

}  // namespace livetls::web
