#include "livetls/net/connection.hpp"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <utility>

#include "livetls/async/timer.hpp"
#include "livetls/tls/tls_stream.hpp"
#include "net/proxy_protocol.hpp"

namespace livetls {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr auto kAsTuple = asio::as_tuple(use_task);

asio::ip::tcp::endpoint tcp_endpoint(const StreamSocket::endpoint_type& from) {
  asio::ip::tcp::endpoint endpoint;
  const int family = from.protocol().family();
  if (family != AF_INET && family != AF_INET6) return endpoint;
  endpoint.resize(from.size());
  std::memcpy(endpoint.data(), from.data(), from.size());
  return endpoint;
}

/// How long a peer may take to answer close_notify before the connection is closed anyway.
constexpr auto kCloseTimeout = std::chrono::seconds(1);

/// Lets the cancellation of a coroutine reach an operation that listens to another signal.
class PassedOn {
 public:
  PassedOn(const asio::cancellation_state& coroutine, asio::cancellation_signal& signal)
      : slot_(coroutine.slot()) {
    if (!slot_.is_connected()) return;
    slot_.assign(
        [&signal](asio::cancellation_type) { signal.emit(asio::cancellation_type::total); });
  }
  PassedOn(const PassedOn&) = delete;
  PassedOn& operator=(const PassedOn&) = delete;
  ~PassedOn() {
    if (slot_.is_connected()) slot_.clear();
  }

 private:
  asio::cancellation_slot slot_;
};

}  // namespace

struct Connection::State {
  using Clock = std::chrono::steady_clock;
  using Tls = TlsStream<StreamSocket>;

  State(StreamSocket socket, std::shared_ptr<const ServerConfig> config)
      : deadline(socket.get_executor(), [this] { deadline_passed(); }), plain(std::move(socket)) {
    if (config) tls.emplace(std::move(plain), std::move(config));
  }

  State(StreamSocket socket, std::shared_ptr<const ClientContext> context, ServerName server_name,
        std::optional<ClientSession> session)
      : deadline(socket.get_executor(), [this] { deadline_passed(); }),
        plain(std::move(socket)),
        client(std::move(context)) {
    tls.emplace(std::move(plain), client, std::move(server_name), std::move(session));
  }

  ~State() { hand_over_session(); }

  void hand_over_session() {
    const auto keep = std::exchange(keep_session, nullptr);
    if (!keep) return;
    if (auto session = tls->tls().session()) keep(*std::move(session));
  }

  StreamSocket& socket() { return tls ? tls->next_layer() : plain; }

  void cut() {
    error_code ignored;
    socket().close(ignored);
  }

  Task<void> shutdown_transport();

  void deadline_passed() {
    if (is_reading && !is_writing) return reading.emit(asio::cancellation_type::total);
    cut();
  }

  /// What an operation failed with, as the caller should see it.
  Error reason(error_code error) const {
    return deadline.expired() ? Error(asio::error::timed_out) : Error(error);
  }

  error_code outcome_of_handshake(error_code error) {
    if (!error) return error;
    writable = false;
    return deadline.expired() ? error_code(Errc::handshake_timeout) : error;
  }

  Deadline deadline;
  StreamSocket plain;  // where there is no TLS
  std::optional<Tls> tls;
  std::shared_ptr<const ClientContext> client;  // of a connection that was made
  std::function<void(ClientSession)> keep_session;
  bool writable = true;
  bool is_reading = false;
  bool is_writing = false;

  bool stopping = false;
  std::unique_ptr<Timer> stop;  // where something waits for it
  std::unique_ptr<ProxiedConnection> proxied;
  bool keep_reading = false;
  asio::cancellation_signal reading;
};

Connection::Connection(StreamSocket socket, std::shared_ptr<const ServerConfig> tls)
    : state_(std::make_unique<State>(std::move(socket), std::move(tls))) {}

Connection::Connection(StreamSocket socket, std::shared_ptr<const ClientContext> tls,
                       ServerName server_name, std::optional<ClientSession> session)
    : state_(std::make_unique<State>(std::move(socket), std::move(tls), std::move(server_name),
                                     std::move(session))) {}

Connection::~Connection() = default;

Task<error_code> Connection::receive_hello() {
  if (!state_->tls) co_return error_code();
  const auto [error] = co_await state_->tls->async_receive_hello(kAsTuple);
  co_return state_->outcome_of_handshake(error);
}

Task<error_code> Connection::handshake() {
  if (!state_->tls) co_return error_code();
  const auto [error] = co_await state_->tls->async_handshake(kAsTuple);
  co_return state_->outcome_of_handshake(error);
}

Task<Result<void>> Connection::read_proxy_header() {
  const auto header = co_await livetls::read_proxy_header(state_->socket());
  if (!header)
    co_return state_->deadline.expired() ? Error(asio::error::timed_out) : header.error();
  if (*header) state_->proxied = std::make_unique<ProxiedConnection>(**header);
  co_return Result<void>();
}

Task<void> Connection::refuse(std::string_view answer) {
  state_->deadline.expires_after(kCloseTimeout);
  const auto [error, bytes] =
      co_await asio::async_write(state_->socket(), asio::buffer(answer), kAsTuple);
  if (!error) co_await state_->shutdown_transport();
  state_->deadline.clear();
  state_->cut();
}

Task<Result<std::size_t>> Connection::read_some(asio::mutable_buffer into) {
  if (state_->tls) {
    if (const auto arrived = state_->tls->read_arrived(into)) co_return *arrived;
  }
  if (state_->stopping && !state_->keep_reading) co_return Error(asio::error::operation_aborted);
  auto until_stop = asio::bind_cancellation_slot(state_->reading.slot(), kAsTuple);
  const PassedOn cancellation(co_await asio::this_coro::cancellation_state, state_->reading);
  state_->is_reading = true;
  const auto [error, bytes] =
      state_->tls
          ? co_await state_->tls->async_read_some(into, std::move(until_stop))
          : co_await state_->plain.async_read_some(asio::buffer(into), std::move(until_stop));
  state_->is_reading = false;
  if (error && error != asio::error::eof) co_return state_->reason(error);
  co_return bytes;
}

Task<Result<void>> Connection::write(asio::const_buffer from) {
  co_return co_await write(std::span(&from, 1));
}

Task<Result<void>> Connection::write(std::string_view text) {
  const asio::const_buffer from = asio::buffer(text);
  co_return co_await write(std::span(&from, 1));
}

Task<Result<void>> Connection::write(std::span<const asio::const_buffer> pieces) {
  state_->is_writing = true;
  const auto [error, bytes] = state_->tls
                                  ? co_await asio::async_write(*state_->tls, pieces, kAsTuple)
                                  : co_await asio::async_write(state_->plain, pieces, kAsTuple);
  state_->is_writing = false;
  if (!error) co_return Result<void>();
  state_->writable = false;
  co_return state_->reason(error);
}

void Connection::async_read_some(asio::mutable_buffer into, Completion done) {
  const auto arrived = state_->tls ? state_->tls->read_arrived(into) : std::nullopt;
  const bool stopped = state_->stopping && !state_->keep_reading;
  if (arrived || stopped) {
    const auto error = arrived ? error_code() : asio::error::operation_aborted;
    asio::post(get_executor(), [=, done = std::move(done)] { done(error, arrived.value_or(0)); });
    return;
  }
  auto until_stop = asio::bind_cancellation_slot(
      state_->reading.slot(),
      [state = state_.get(), done = std::move(done)](error_code error, std::size_t bytes) {
        state->is_reading = false;
        done(error && error != asio::error::eof ? state->reason(error).code : error, bytes);
      });
  state_->is_reading = true;
  if (state_->tls) {
    state_->tls->async_read_some(into, std::move(until_stop));
  } else {
    state_->plain.async_read_some(asio::buffer(into), std::move(until_stop));
  }
}

void Connection::async_write(std::vector<asio::const_buffer> pieces, Completion done) {
  auto on_end = [state = state_.get(), done = std::move(done)](error_code error,
                                                               std::size_t bytes) {
    state->is_writing = false;
    if (error) state->writable = false;
    done(error ? state->reason(error).code : error, bytes);
  };
  state_->is_writing = true;
  if (state_->tls) {
    asio::async_write(*state_->tls, pieces, std::move(on_end));
  } else {
    asio::async_write(state_->plain, pieces, std::move(on_end));
  }
}

Task<void> Connection::close() {
  state_->hand_over_session();
  if (state_->socket().is_open() && state_->writable) {
    state_->deadline.expires_after(kCloseTimeout);
    if (state_->tls) {
      co_await state_->tls->async_shutdown(kAsTuple);
    } else {
      co_await state_->shutdown_transport();
    }
    state_->deadline.clear();
  }
  state_->cut();
}

/// Says that no more comes, then waits for the peer to say so, discarding what still arrives: a
/// socket closed with bytes unread resets the connection, and with it goes what was written last.
Task<void> Connection::State::shutdown_transport() {
  error_code error;
  socket().shutdown(StreamSocket::shutdown_send, error);
  std::array<char, 4096> discarded;
  while (!error) {
    const auto [read_error, bytes] =
        co_await socket().async_read_some(asio::buffer(discarded), kAsTuple);
    error = read_error;
  }
}

bool Connection::stopping() const noexcept { return state_->stopping; }

Task<void> Connection::stopped() {
  if (state_->stopping) co_return;
  if (!state_->stop) {
    state_->stop = std::make_unique<Timer>(get_executor(), State::Clock::time_point::max());
  }
  co_await state_->stop->async_wait(kAsTuple);
}

void Connection::keep_reading_on_stop(bool keep) noexcept { state_->keep_reading = keep; }

void Connection::begin_stop() {
  state_->stopping = true;
  if (state_->stop) state_->stop->cancel();
  if (!state_->keep_reading) state_->reading.emit(asio::cancellation_type::total);
}

void Connection::cut() { state_->cut(); }

Deadline& Connection::deadline() noexcept { return state_->deadline; }

bool Connection::is_tls() const noexcept { return state_->tls.has_value(); }

bool Connection::is_unix() const noexcept {
  error_code ignored;
  return state_->socket().local_endpoint(ignored).protocol().family() == AF_UNIX;
}

asio::ip::tcp::endpoint Connection::remote_endpoint() const {
  error_code ignored;
  if (state_->proxied) return state_->proxied->remote;
  return tcp_endpoint(state_->socket().remote_endpoint(ignored));
}

asio::ip::tcp::endpoint Connection::local_endpoint() const {
  error_code ignored;
  if (state_->proxied) return state_->proxied->local;
  return tcp_endpoint(state_->socket().local_endpoint(ignored));
}

Executor Connection::get_executor() noexcept { return state_->socket().get_executor(); }

const Served* Connection::served() const noexcept {
  return state_->tls ? state_->tls->tls().served() : nullptr;
}

std::optional<Certificate> Connection::certificate() const {
  if (state_->client) return state_->client->options().certificate;
  const Served* served = this->served();
  return served ? std::optional(served->context->certificate()) : std::nullopt;
}

std::uint64_t Connection::generation() const noexcept {
  const Served* served = this->served();
  return served ? served->generation : 0;
}

std::chrono::steady_clock::time_point Connection::hello_received_at() const noexcept {
  return state_->tls ? state_->tls->tls().hello_received_at()
                     : std::chrono::steady_clock::time_point();
}

std::optional<CertificateInfo> Connection::peer_certificate() const {
  return state_->tls ? state_->tls->tls().peer_certificate() : std::nullopt;
}

std::span<const std::vector<std::uint8_t>> Connection::peer_chain() const noexcept {
  return state_->tls ? state_->tls->tls().peer_chain()
                     : std::span<const std::vector<std::uint8_t>>();
}

std::span<const std::vector<std::uint8_t>> Connection::verified_chain() const noexcept {
  return state_->tls ? state_->tls->tls().verified_chain()
                     : std::span<const std::vector<std::uint8_t>>();
}

std::string_view Connection::refusal_reason() const noexcept {
  return state_->tls ? state_->tls->tls().refusal_reason() : std::string_view();
}

bool Connection::peer_is_verified() const noexcept {
  return state_->tls && state_->tls->tls().peer_is_verified();
}

TlsVersion Connection::tls_version() const noexcept {
  return state_->tls ? state_->tls->tls().version() : TlsVersion{};
}

std::optional<ChannelBinding> Connection::channel_binding() const {
  return state_->tls ? state_->tls->tls().channel_binding() : std::nullopt;
}

bool Connection::resumed() const noexcept { return state_->tls && state_->tls->tls().resumed(); }

void Connection::keep_session(std::function<void(ClientSession)> keep) {
  state_->keep_session = std::move(keep);
}

std::string_view Connection::alpn() const noexcept {
  return state_->tls ? state_->tls->tls().alpn() : std::string_view();
}

std::string_view Connection::server_name() const noexcept {
  return state_->tls ? state_->tls->tls().server_name() : std::string_view();
}

}  // namespace livetls
