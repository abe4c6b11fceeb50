#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "livetls/async/task.hpp"
#include "livetls/web/handler.hpp"

namespace livetls::web {

/// All limits and durations must be above zero; `websocket` throws std::invalid_argument otherwise.
struct WebSocketOptions {
  /// Origins beside the server's own host whose pages may connect, such as
  /// "https://app.example.com"; {"*"}: all. Browsers send cookies and certificates along, whoever's
  /// page it is. Clients that are no browsers send no origin, and may connect.
  std::vector<std::string> origins = {};

  std::size_t max_message_bytes = 1024 * 1024;  ///< received; above it, the connection is closed

  /// What may wait to be sent, in bytes: above it, `send` waits, and a Sender gives the client up.
  std::size_t max_queued_bytes = 1024 * 1024;

  /// A client that sends nothing for half of it gets a ping, and for all of it is given up.
  std::chrono::steady_clock::duration idle_timeout = std::chrono::minutes(2);

  /// How long the client may take for each 256 KiB that it is sent.
  std::chrono::steady_clock::duration write_timeout = std::chrono::seconds(30);

  /// Of the handshakes at the beginning and at the end.
  std::chrono::steady_clock::duration handshake_timeout = std::chrono::seconds(10);

  /// Compress messages for clients that offer it (RFC 7692). It costs memory for each connection.
  bool deflate = false;
};

/// One side of a WebSocket (RFC 6455), as its handler sees it.
///
/// Thread safety: none; it belongs to one server thread. One `receive` and one `send` may be
/// outstanding together. A message is read ahead; the client waits for the others to be received.
class WebSocket {
 public:
  struct Message {
    std::string data;  ///< a text's is valid UTF-8
    bool is_text = true;
  };

  /// Sends from any thread, at any time: it outlives the connection, and does nothing then. Copies
  /// send to the same client.
  class Sender {
   public:
    void send(std::string text) const;

   private:
    friend class WebSocket;
    struct State;
    explicit Sender(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
  };

  /// The next message; nothing once the connection has ended, in whatever way. Can be cancelled.
  Task<std::optional<Message>> receive();

  /// Waits while too much is queued. Throws ConnectionLost where the client has gone.
  Task<void> send(std::string text);
  Task<void> send_bytes(std::string bytes);

  Sender sender() const;

  /// What the handler's end does by itself, with 1000. What is queued goes before it.
  void close(std::uint16_t code = 1000, std::string reason = {});

  /// The server is being stopped. The client has been told (1001), and `receive` comes to an end.
  bool stopping() const noexcept;

  struct State;
  explicit WebSocket(std::shared_ptr<State> state);
  ~WebSocket();

 private:
  std::shared_ptr<State> state_;
};

/// Serves WebSockets at a route of GET:
///
///     router.get("/echo", web::websocket([](WebSocket& socket) -> Task<void> {
///       bool open = true;
///       while (open) {
///         auto message = co_await socket.receive();
///         open = message.has_value();
///         if (open) co_await socket.send(std::move(message->data));
///       }
///     }));
///
/// Requests that are no handshake get a 426, those of strangers' pages a 403.
Handler websocket(std::function<Task<void>(WebSocket&)> serve, WebSocketOptions options = {});

/// The same as the answer of a handler, which has looked at the request:
///
///     Response enter(Request& request, const std::string& name) {
///       return upgrade_to_websocket(request, [=](WebSocket& socket) { return talk(socket, name);
///       });
///     }
///
/// The request, with its connection, lasts as long as the WebSocket.
Response upgrade_to_websocket(Request& request, std::function<Task<void>(WebSocket&)> serve,
                              WebSocketOptions options = {});

}  // namespace livetls::web
