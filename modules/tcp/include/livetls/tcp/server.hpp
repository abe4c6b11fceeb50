#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "livetls/net/listener.hpp"

namespace livetls::tcp {

using Connection = livetls::Connection;
using ServerOptions = ListenerOptions;
using ServerCounters = ListenerCounters;

/// A server for a protocol of your own over TLS, or plain where `.plain = true` is said:
///
///     Task<void> echo(tcp::Connection& connection) {
///       std::array<char, 4096> buffer;
///       for (;;) {
///         const auto bytes = co_await connection.read_some(asio::buffer(buffer));
///         if (!bytes || *bytes == 0) co_return;
///         const auto sent = co_await connection.write(asio::buffer(buffer.data(), *bytes));
///         if (!sent) co_return;
///       }
///     }
///
///     tcp::Server server(runtime, manager, echo, {.port = 7443});
///
/// The handler runs once for each connection, when its handshake is done, as a coroutine on the
/// thread that owns the connection; connections on different threads run it at the same time. It
/// sets its own time limits with `connection.deadline()`, and returns when the peer has ended or
/// `connection.stopping()`. The connection is closed after it, with close_notify. What it throws is
/// logged and ends this connection alone.
///
/// Thread safety: port and counters from any thread. Lifetime: the destructor, or a stop of the
/// runtime, stops accepting and waits for the connections; the runtime must outlive the server.
class Server {
 public:
  using Handler = std::function<Task<void>(Connection&)>;

  /// Listens from now on. Throws std::invalid_argument for options out of range or where neither a
  /// manager nor `.plain = true` is given, and boost::system::system_error where the address cannot
  /// be listened on.
  Server(Runtime& runtime, std::shared_ptr<CertManager> manager, Handler handler,
         ServerOptions options = {});

  std::uint16_t port() const noexcept { return listener_.port(); }
  ServerCounters counters() const { return listener_.counters(); }

 private:
  Listener listener_;
};

}  // namespace livetls::tcp
