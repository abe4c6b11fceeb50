// Coroutines of a connection: the handler; one that reads ahead by a message, so that pings and the
// client's end are seen whatever the handler does; one that writes what is queued, and alone
// writes, so messages of other threads and the close come in their turn; one that pings a silent
// client and gives it up; and one that waits for the server's stop.

#include "livetls/web/websocket.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <deque>
#include <exception>
#include <utility>

#include "ascii.hpp"
#include "connection_stream.hpp"
#include "internal_error.hpp"
#include "livetls/async/race.hpp"
#include "livetls/async/timer.hpp"
#include "livetls/base/describe.hpp"
#include "livetls/base/log.hpp"
#include "livetls/web/http_error.hpp"
#include "websocket_handshake.hpp"

namespace livetls::web {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace ws = boost::beast::websocket;

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kAsTuple = asio::as_tuple(use_task);

/// A frame may announce far more than will ever come: memory is given as the bytes arrive.
constexpr std::size_t kReadBytes = 64 * 1024;

void check(const WebSocketOptions& options) {
  if (options.max_message_bytes == 0 || options.max_queued_bytes == 0) {
    throw std::invalid_argument("the limits of web::WebSocketOptions must be above zero");
  }
  constexpr auto kNone = Clock::duration::zero();
  if (options.idle_timeout <= kNone || options.write_timeout <= kNone ||
      options.handshake_timeout <= kNone) {
    throw std::invalid_argument("the durations of web::WebSocketOptions must be above zero");
  }
}

}  // namespace

struct WebSocket::State {
  State(Connection& c, std::string early, const WebSocketOptions& o)
      : connection(c),
        options(o),
        stream(c, std::move(early), o.write_timeout),
        arrived(c.get_executor(), Clock::time_point::max()),
        taken(c.get_executor(), Clock::time_point::max()),
        queued(c.get_executor(), Clock::time_point::max()),
        sent(c.get_executor(), Clock::time_point::max()) {}

  void prepare();
  Task<void> read_ahead();
  Task<bool> read_message();
  Task<void> write_queue();
  Task<void> write_front();
  Task<void> watch();          // ends when it is cancelled
  Task<void> close_at_stop();  // as this does
  Task<void> until_cancelled();
  void enqueue(Message message);
  Task<void> send(Message message);
  void end();

  Connection& connection;
  const WebSocketOptions& options;
  ws::stream<ConnectionStream> stream;

  std::optional<Message> inbox;
  std::deque<Message> queue;
  std::size_t queued_bytes = 0;
  bool ping_is_due = false;
  std::optional<ws::close_reason> closing;  // when the queue is empty
  bool ended = false;                       // nothing can be sent or received any more

  Timer arrived;  // the handler waits here for a message
  Timer taken;    // and the reader for the handler to take it
  Timer queued;   // the writer waits here
  Timer sent;     // and who has queued too much here
};

/// The connection's thread alone looks at what it points to.
struct WebSocket::Sender::State {
  Executor executor;
  std::weak_ptr<WebSocket::State> socket;
};

void WebSocket::State::prepare() {
  ws::stream_base::timeout timeout{};
  timeout.handshake_timeout = options.handshake_timeout;
  timeout.idle_timeout = ws::stream_base::none();  // `watch` knows more than Beast
  stream.set_option(timeout);
  stream.read_message_max(options.max_message_bytes);
  stream.auto_fragment(false);
  ws::permessage_deflate deflate;
  deflate.server_enable = options.deflate;
  stream.set_option(deflate);
}

void WebSocket::State::end() {
  ended = true;
  for (Timer* waiter : {&arrived, &taken, &queued, &sent}) waiter->cancel();
}

Task<void> WebSocket::State::read_ahead() {
  while (!ended) {
    const bool received = co_await read_message();
    if (!received) {
      end();
      break;
    }
    arrived.cancel();
    while (inbox && !ended) co_await taken.async_wait(kAsTuple);
  }
}

/// Into the inbox; false where the client has ended.
Task<bool> WebSocket::State::read_message() {
  beast::flat_buffer buffer;
  do {
    const auto [error, bytes] = co_await stream.async_read_some(buffer, kReadBytes, kAsTuple);
    if (error) co_return false;
  } while (!stream.is_message_done());
  inbox.emplace();
  inbox->data = beast::buffers_to_string(buffer.data());
  inbox->is_text = stream.got_text();
  co_return true;
}

/// A client that is held back is not silent.
Task<void> WebSocket::State::watch() {
  constexpr Clock::duration kLongest = std::chrono::hours(24 * 365);
  const Clock::duration patience = std::min(options.idle_timeout, kLongest);
  Timer timer(connection.get_executor());
  Clock::time_point heard_at = Clock::now();
  bool pinged = false;
  bool given_up = false;
  while (!given_up) {
    timer.expires_at(heard_at + (pinged ? patience : patience / 2));
    co_await timer.async_wait(use_task);
    const Clock::time_point last = inbox ? Clock::now() : stream.next_layer().heard_at();
    given_up = pinged && last <= heard_at;
    pinged = last <= heard_at;
    heard_at = std::max(heard_at, last);
    ping_is_due = pinged;
    queued.cancel();
  }
  connection.cut();
  co_await until_cancelled();
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
      co_await write_front();
    } else if (closing) {
      co_await stream.async_close(*closing, kAsTuple);
      end();
    } else if (std::exchange(ping_is_due, false)) {
      const ws::ping_data nothing;
      co_await stream.async_ping(nothing, kAsTuple);
    } else {
      co_await queued.async_wait(kAsTuple);
    }
  }
}

Task<void> WebSocket::State::write_front() {
  const Message& message = queue.front();
  stream.text(message.is_text);
  const auto [error, bytes] = co_await stream.async_write(asio::buffer(message.data), kAsTuple);
  queued_bytes -= message.data.size();
  queue.pop_front();
  sent.cancel();
  if (error) end();
}

Task<void> WebSocket::State::close_at_stop() {
  co_await connection.stopped();
  if (!connection.stopping()) co_return;  // cancelled
  if (!closing) closing = ws::close_reason(ws::close_code::going_away);
  queued.cancel();
  co_await until_cancelled();
}

Task<void> WebSocket::State::until_cancelled() {
  Timer never(connection.get_executor(), Clock::time_point::max());
  co_await never.async_wait(kAsTuple);
}

// ---- The handler's side ------------------------------------------------------------------------

WebSocket::WebSocket(std::shared_ptr<State> state) : state_(std::move(state)) {}
WebSocket::~WebSocket() = default;

Task<std::optional<WebSocket::Message>> WebSocket::receive() {
  while (!state_->inbox && !state_->ended) co_await state_->arrived.async_wait(kAsTuple);
  state_->taken.cancel();
  co_return std::exchange(state_->inbox, std::nullopt);
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
    socket->end();  // it takes too little
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

/// A page of another site would come with the browser's cookies, and over TLS even one of this
/// host's that came without. Before a plain server, a proxy may have done the TLS.
bool is_same_origin(const Request& request, std::string_view origin) {
  const bool tls = request.has_connection() && request.connection().is_tls();
  std::string_view host = origin;
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (origin.starts_with(scheme)) host.remove_prefix(scheme.size());
    if (tls) break;
  }
  return host.size() < origin.size() && equal_ignoring_case(host, request.headers["Host"]);
}

bool is_welcome(const Request& request, const std::vector<std::string>& origins) {
  const auto origin = request.headers.find("Origin");
  if (!origin) return true;
  if (std::ranges::find(origins, "*") != origins.end()) return true;
  if (std::ranges::find(origins, *origin) != origins.end()) return true;
  return is_same_origin(request, *origin);
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
  } catch (...) {
    if (!socket.stopping()) {
      log(LogLevel::error, "a WebSocket's handler failed: " + describe(std::current_exception()));
    }
    socket.close(ws::close_code::internal_error);
  }
  socket.close();
}

/// Where there is no memory, nobody would end what waits for the client.
Task<void> cutting_off_when_it_fails(Connection& connection, Task<void> task) {
  try {
    co_await std::move(task);
  } catch (...) {
    connection.cut();
    throw;
  }
}

Task<void> run(std::shared_ptr<const Site> site, Connection& connection, const Request& request,
               std::string early) {
  const auto state =
      std::make_shared<WebSocket::State>(connection, std::move(early), site->options);
  state->prepare();
  const bool accepted = co_await accept_websocket(state->stream, request);
  if (!accepted) co_return;
  std::vector<Task<void>> work;
  work.push_back(run_handler(*site, state));
  work.push_back(cutting_off_when_it_fails(connection, state->read_ahead()));
  work.push_back(cutting_off_when_it_fails(connection, state->write_queue()));
  std::vector<Task<void>> all;
  all.push_back(all_of(std::move(work)));
  all.push_back(state->watch());
  all.push_back(state->close_at_stop());
  co_await first_of(std::move(all));
}

Response upgrade(Request& request, std::shared_ptr<const Site> site) {
  if (!asks_for_websocket(request)) {
    Response response = Response::status(426);
    response.headers.set("Upgrade", "websocket");
    return response;
  }
  if (!is_welcome(request, site->options.origins)) return Response::status(403);
  Response response{.status_code = 101};
  response.takeover = [site = std::move(site)](Connection& connection, const Request& upgrade,
                                               std::string early) {
    return run(site, connection, upgrade, std::move(early));
  };
  return response;
}

}  // namespace

Response upgrade_to_websocket(Request& request, std::function<Task<void>(WebSocket&)> serve,
                              WebSocketOptions options) {
  check(options);
  return upgrade(request, std::make_shared<const Site>(Site{std::move(serve), std::move(options)}));
}

Handler websocket(std::function<Task<void>(WebSocket&)> serve, WebSocketOptions options) {
  check(options);
  const auto site = std::make_shared<const Site>(Site{std::move(serve), std::move(options)});
  return [site](Request& request) { return upgrade(request, site); };
}

}  // namespace livetls::web
