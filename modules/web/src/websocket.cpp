// Three coroutines a connection: the handler, one that writes what is queued, and one that waits
// for the server's stop. Only the second writes, so messages of other threads and the close come in
// their turn.

#include "livetls/web/websocket.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket.hpp>
#include <deque>
#include <exception>
#include <utility>

#include "ascii.hpp"
#include "connection_stream.hpp"
#include "livetls/base/log.hpp"
#include "livetls/web/http_error.hpp"

namespace livetls::web {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace ws = boost::beast::websocket;

namespace {

using Clock = std::chrono::steady_clock;
using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor>;

constexpr auto kAsTuple = asio::as_tuple(use_task);

}  // namespace

struct WebSocket::State {
  State(Connection& c, std::string early, const WebSocketOptions& o)
      : connection(c),
        options(o),
        stream(c, std::move(early)),
        queued(c.get_executor(), Clock::time_point::max()),
        sent(c.get_executor(), Clock::time_point::max()) {}

  void prepare();
  Task<bool> accept(const Request& request);
  Task<void> write_queue();
  Task<void> close_at_stop();  // ends when it is cancelled
  void enqueue(Message message);
  Task<void> send(Message message);

  Connection& connection;
  const WebSocketOptions& options;
  ws::stream<ConnectionStream> stream;

  std::deque<Message> queue;
  std::size_t queued_bytes = 0;
  std::optional<ws::close_reason> closing;  // when the queue is empty
  bool ended = false;                       // nothing can be sent any more
  Timer queued;                             // the writer waits here
  Timer sent;                               // and who has queued too much here
};

/// The connection's thread alone looks at what it points to.
struct WebSocket::Sender::State {
  Executor executor;
  std::weak_ptr<WebSocket::State> socket;
};

void WebSocket::State::prepare() {
  ws::stream_base::timeout timeout{};
  timeout.handshake_timeout = options.handshake_timeout;
  timeout.idle_timeout = options.idle_timeout;
  timeout.keep_alive_pings = true;
  stream.set_option(timeout);
  stream.read_message_max(options.max_message_bytes);
  ws::permessage_deflate deflate;
  deflate.server_enable = options.deflate;
  stream.set_option(deflate);
}

Task<bool> WebSocket::State::accept(const Request& request) {
  beast::http::request<beast::http::empty_body> upgrade(beast::http::verb::get, request.target, 11);
  for (const auto& [name, value] : request.headers) upgrade.insert(name, value);
  const auto [error] = co_await stream.async_accept(upgrade, kAsTuple);
  co_return !error;
}

void WebSocket::State::enqueue(Message message) {
  if (ended || closing) return;
  queued_bytes += message.data.size();
  queue.push_back(std::move(message));
  queued.cancel();
}

Task<void> WebSocket::State::send(Message message) {
  while (queued_bytes > options.max_queued_bytes && !ended) co_await sent.async_wait(kAsTuple);
  if (ended) throw ConnectionLost(asio::error::connection_reset);
  enqueue(std::move(message));
}

Task<void> WebSocket::State::write_queue() {
  while (!ended) {
    if (!queue.empty()) {
      stream.text(queue.front().is_text);
      const auto [error, bytes] =
          co_await stream.async_write(asio::buffer(queue.front().data), kAsTuple);
      queued_bytes -= queue.front().data.size();
      queue.pop_front();
      ended = static_cast<bool>(error);
      sent.cancel();
    } else if (closing) {
      co_await stream.async_close(*closing, kAsTuple);
      ended = true;
    } else {
      co_await queued.async_wait(kAsTuple);
    }
  }
  sent.cancel();
}

Task<void> WebSocket::State::close_at_stop() {
  co_await connection.stopped();
  if (!connection.stopping()) co_return;  // cancelled
  if (!closing) closing = ws::close_reason(ws::close_code::going_away);
  queued.cancel();
  Timer never(connection.get_executor(), Clock::time_point::max());
  co_await never.async_wait(kAsTuple);
}

// ---- The handler's side ------------------------------------------------------------------------

WebSocket::WebSocket(std::shared_ptr<State> state) : state_(std::move(state)) {}
WebSocket::~WebSocket() = default;

Task<std::optional<WebSocket::Message>> WebSocket::receive() {
  beast::flat_buffer buffer;
  const auto [error, bytes] = co_await state_->stream.async_read(buffer, kAsTuple);
  if (error) {
    state_->ended = true;
    state_->queued.cancel();
    co_return std::nullopt;
  }
  Message message;
  message.data = beast::buffers_to_string(buffer.data());
  message.is_text = state_->stream.got_text();
  co_return message;
}

Task<void> WebSocket::send(std::string text) {
  Message message;
  message.data = std::move(text);
  co_await state_->send(std::move(message));
}

Task<void> WebSocket::send_bytes(std::string bytes) {
  Message message;
  message.data = std::move(bytes);
  message.is_text = false;
  co_await state_->send(std::move(message));
}

WebSocket::Sender WebSocket::sender() const {
  return Sender(
      std::make_shared<Sender::State>(Sender::State{state_->connection.get_executor(), state_}));
}

void WebSocket::Sender::send(std::string text) const {
  asio::post(state_->executor, [state = state_, text = std::move(text)]() mutable {
    const auto socket = state->socket.lock();
    if (!socket) return;
    if (socket->queued_bytes <= socket->options.max_queued_bytes) {
      Message message;
      message.data = std::move(text);
      return socket->enqueue(std::move(message));
    }
    socket->ended = true;  // it takes too little
    socket->queued.cancel();
    socket->connection.cut();
  });
}

void WebSocket::close(std::uint16_t code, std::string reason) {
  if (state_->closing) return;
  state_->closing = ws::close_reason(ws::close_code(code), reason);
  state_->queued.cancel();
}

bool WebSocket::stopping() const noexcept { return state_->connection.stopping(); }

// ---- From a request to a WebSocket -------------------------------------------------------------

namespace {

/// A page of another site would come with the browser's cookies.
bool is_welcome(const Request& request, const std::vector<std::string>& origins) {
  const auto origin = request.headers.find("Origin");
  if (!origin) return true;
  if (std::ranges::find(origins, "*") != origins.end()) return true;
  if (std::ranges::find(origins, *origin) != origins.end()) return true;
  const std::size_t scheme = origin->find("://");
  return scheme != origin->npos &&
         equal_ignoring_case(origin->substr(scheme + 3), request.headers["Host"]);
}

bool is_handshake(const Request& request) {
  beast::http::request<beast::http::empty_body> upgrade(beast::http::verb::get, request.target, 11);
  for (const auto& [name, value] : request.headers) upgrade.insert(name, value);
  return request.method == Method::get && ws::is_upgrade(upgrade);
}

struct Site {
  std::function<Task<void>(WebSocket&)> serve;
  WebSocketOptions options;
};

Task<void> run_handler(const Site& site, std::shared_ptr<WebSocket::State> state) {
  WebSocket socket(state);
  try {
    co_await site.serve(socket);
  } catch (const ConnectionLost&) {
  } catch (const std::exception& error) {
    if (!socket.stopping()) {
      log(LogLevel::error, std::string("a WebSocket's handler failed: ") + error.what());
    }
    socket.close(ws::close_code::internal_error);
  }
  socket.close();
}

Task<void> run(std::shared_ptr<const Site> site, Connection& connection, const Request& request,
               std::string early) {
  using namespace asio::experimental::awaitable_operators;
  const auto state =
      std::make_shared<WebSocket::State>(connection, std::move(early), site->options);
  state->prepare();
  const bool accepted = co_await state->accept(request);
  if (!accepted) co_return;
  Task<void> handler = run_handler(*site, state);
  Task<void> writer = state->write_queue();
  Task<void> stop = state->close_at_stop();
  auto both = std::move(handler) && std::move(writer);
  auto all = std::move(both) || std::move(stop);
  co_await std::move(all);
}

}  // namespace

Handler websocket(std::function<Task<void>(WebSocket&)> serve, WebSocketOptions options) {
  const auto site = std::make_shared<const Site>(Site{std::move(serve), std::move(options)});
  return [site](Request& request) {
    if (!is_handshake(request)) {
      Response response = Response::status(426);
      response.headers.set("Upgrade", "websocket");
      return response;
    }
    if (!is_welcome(request, site->options.origins)) return Response::status(403);
    Response response{.status_code = 101};
    response.takeover = [site](Connection& connection, const Request& upgrade, std::string early) {
      return run(site, connection, upgrade, std::move(early));
    };
    return response;
  };
}

}  // namespace livetls::web
