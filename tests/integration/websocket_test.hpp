#pragma once

// What the tests of WebSockets have in common.

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "integration/web_server_test.hpp"
#include "livetls/net/socket.hpp"
#include "livetls/web/websocket.hpp"
#include "support/websocket_client.hpp"

namespace livetls::web {

namespace ws = boost::beast::websocket;
using test::WebSocketClient;

Task<void> echo(WebSocket& socket);

/// Returns when the server has handled what has been sent: between two posted handlers it looks for
/// what has arrived.
void let_server_read(Runtime& runtime);

class WebSockets : public WebServer {
 protected:
  Router sockets(WebSocketOptions options = {});

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
