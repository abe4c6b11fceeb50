#include "client.hpp"

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/error.hpp>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "sighting_hash.hpp"

namespace livetls::bench {

namespace asio = boost::asio;
using Next = TlsEngine::Step::Next;

namespace {

std::string http_request(const LoadOptions& options) {
  if (options.path.empty()) return {};
  const std::string target = options.path + " HTTP/1.1\r\nHost: " + options.server_name + "\r\n";
  if (options.json.empty()) return "GET " + target + "\r\n";
  return "POST " + target + "Content-Type: application/json\r\nContent-Length: " +
         std::to_string(options.json.size()) + "\r\n\r\n" + options.json;
}

std::string upgrade_request(const LoadOptions& options) {
  return "GET " + options.path + " HTTP/1.1\r\nHost: " + options.server_name +
         "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
}

/// A text in one frame (RFC 6455, section 5.2). A mask of zeros leaves it as it is.
std::string text_frame(std::size_t bytes, bool masked) {
  const auto byte = [](std::size_t value) { return static_cast<char>(value & 0xff); };
  const std::size_t mask_bit = masked ? 0x80 : 0;
  std::string frame = "\x81";
  if (bytes < 126) {
    frame += byte(mask_bit | bytes);
  } else {
    frame += {byte(mask_bit | 126), byte(bytes >> 8), byte(bytes)};
  }
  if (masked) frame.append(4, '\0');
  return frame.append(bytes, 'x');
}

std::string message_of(const LoadOptions& options) {
  switch (options.mode) {
    case LoadMode::echo: return std::string(options.message_bytes, 'x');
    case LoadMode::websocket: return text_frame(options.message_bytes, true);
    default: return http_request(options);
  }
}

std::size_t answer_bytes(const LoadOptions& options) {
  const bool framed = options.mode == LoadMode::websocket;
  return framed ? text_frame(options.message_bytes, false).size() : options.message_bytes;
}

}  // namespace

Client::Client(const LoadOptions& options, int epoll)
    : options_(options),
      epoll_(epoll),
      message_(message_of(options)),
      answer_bytes_(answer_bytes(options)),
      buffer_(64 * 1024) {
  if (options.mode == LoadMode::websocket) upgrade_ = upgrade_request(options);
}

Client::~Client() { drop(); }

void Client::drop() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
  watched_ = 0;
  phase_ = Phase::none;
  upgraded_ = false;
  engine_.reset();
  flight_.clear();
  flight_sent_ = 0;
}

Client::State Client::begin(Clock::time_point intended) {
  intended_ = intended;
  sighting_.reset();
  resumed_ = false;
  failure_.clear();
  if (std::exchange(server_closes_, false)) drop();
  if (socket_ >= 0) {
    next_message();
  } else {
    phase_ = Phase::connecting;
  }
  return proceed();
}

Client::State Client::proceed() {
  drained_ = false;
  Progress progress = Progress::again;
  while (progress == Progress::again) progress = advance();
  return state_after(progress);
}

Client::State Client::close() {
  phase_ = Phase::ending;
  return proceed();
}

Client::State Client::state_after(Progress progress) {
  busy_ = progress == Progress::wait;
  switch (progress) {
    case Progress::complete: return phase_ == Phase::none ? State::idle : State::done;
    case Progress::failed: drop(); return State::failed;
    default: return State::waiting;
  }
}

Client::Progress Client::advance() {
  switch (phase_) {
    case Phase::connecting: return socket_ < 0 ? connect() : connected();
    case Phase::handshaking: return shake_hands();
    case Phase::sending: return send_message();
    case Phase::receiving: return receive_message();
    case Phase::ending: return end();
    case Phase::none: return Progress::complete;
  }
  return Progress::complete;
}

// ---- Connecting and the handshake --------------------------------------------------------------

Client::Progress Client::connect() {
  const auto& target = options_.target;
  socket_ = ::socket(target.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return fail(std::strerror(errno));
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(socket_, target.data(), static_cast<socklen_t>(target.size())) == 0) {
    return connected();
  }
  if (errno != EINPROGRESS) return fail(std::strerror(errno));
  wait_for(EPOLLOUT);
  return Progress::wait;
}

Client::Progress Client::connected() {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return fail(std::strerror(error));
  wait_for(EPOLLIN);
  hello_sent_ = Clock::now();
  if (options_.client) {
    engine_.emplace(options_.client, ServerName::parse(options_.server_name).value(),
                    options_.resume ? session_ : std::nullopt);
    phase_ = Phase::handshaking;
  } else {
    next_message();
  }
  return Progress::again;
}

Client::Progress Client::shake_hands() {
  const TlsEngine::Step step = engine_->handshake();
  if (step.next != Next::done) return transport(step);
  note_handshake();
  next_message();
  return Progress::again;
}

void Client::note_handshake() {
  resumed_ = engine_->resumed();
  const auto chain = engine_->peer_chain();
  const bool seen = !resumed_ && !chain.empty();
  sighting_ = Sighting{hello_sent_, Clock::now(), seen ? der_hash(chain.front()) : 0};
}

// ---- The operation itself ----------------------------------------------------------------------

void Client::next_message() {
  message_sent_ = 0;
  echoed_ = 0;
  response_.reset();
  unparsed_.clear();
  if (upgrade_.empty()) upgraded_ = true;
  const bool is_echo = options_.mode == LoadMode::echo || options_.mode == LoadMode::websocket;
  if (!upgraded_ || !is_echo) response_.emplace().eager(true);
  phase_ = Phase::sending;
}

/// What is left of the handshake goes with it.
Client::Progress Client::send_message() {
  const std::string& message = outgoing();
  while (message_sent_ < message.size()) {
    const auto rest = asio::buffer(message) + message_sent_;
    if (engine_) {
      const TlsEngine::Step step = engine_->write(rest);
      if (step.next != Next::done) return transport(step);
      message_sent_ += step.bytes;
    } else {
      flight_.insert(flight_.end(), message.begin(), message.end());
      message_sent_ = message.size();
    }
  }
  if (!flush()) return failure_.empty() ? Progress::wait : Progress::failed;
  phase_ = Phase::receiving;
  return message.empty() ? Progress::complete : Progress::again;
}

Client::Progress Client::receive_message() {
  if (!engine_) {
    if (drained_) return Progress::wait;
    const ssize_t bytes = ::recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (bytes == 0) return fail("closed before its answer");
    if (bytes < 0) return errno == EAGAIN ? Progress::wait : fail(std::strerror(errno));
    if (is_answered(static_cast<std::size_t>(bytes))) return answered();
    return failure_.empty() ? Progress::again : Progress::failed;
  }
  const TlsEngine::Step step = engine_->read(asio::buffer(buffer_));
  if (step.next != Next::done) return transport(step);
  if (!is_answered(step.bytes)) return failure_.empty() ? Progress::again : Progress::failed;
  if (options_.resume) {
    if (auto session = engine_->session()) session_ = std::move(session);
  }
  return answered();
}

Client::Progress Client::answered() {
  if (!std::exchange(upgraded_, true)) {
    next_message();
    return Progress::again;
  }
  server_closes_ = response_ && !response_->get().keep_alive();
  return Progress::complete;
}

bool Client::is_answered(std::size_t bytes) {
  if (!response_) return (echoed_ += bytes) >= answer_bytes_;
  unparsed_.append(buffer_.data(), bytes);
  boost::system::error_code error;
  unparsed_.erase(0, response_->put(asio::buffer(unparsed_), error));
  if (error == boost::beast::http::error::need_more) return false;
  if (error) fail("not HTTP: " + error.message());
  if (!error && response_->is_done() && response_->get().result_int() >= 400) {
    fail("HTTP status " + std::to_string(response_->get().result_int()));
  }
  return failure_.empty() && response_->is_done();
}

/// Waits for the server's end, so that nothing is lost on the way and no reset is sent.
Client::Progress Client::end() {
  if (engine_) {
    const TlsEngine::Step step = engine_->shutdown();
    if (step.next == Next::need_input) return transport(step);
    if (step.next == Next::done) flush();
  }
  drop();
  return Progress::complete;
}

// ---- Bytes
// ---------------------------------------------------------------------------------------

/// Sends what the step has left, and receives where it needs more.
Client::Progress Client::transport(TlsEngine::Step step) {
  const bool sent = flush();
  if (step.next == Next::failed) return fail(step.error.message());
  if (!sent) return failure_.empty() ? Progress::wait : Progress::failed;
  if (drained_) return Progress::wait;
  return receive() ? Progress::again : failure_.empty() ? Progress::wait : Progress::failed;
}

/// False where the socket takes no more, or has failed.
bool Client::flush() {
  for (;;) {
    if (flight_sent_ == flight_.size()) {
      flight_.clear();
      flight_sent_ = 0;
      if (engine_ && engine_->output_size() > 0) engine_->take_output(flight_);
      if (flight_.empty()) break;
    }
    const ssize_t bytes = ::send(socket_, flight_.data() + flight_sent_,
                                 flight_.size() - flight_sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (bytes < 0 && errno == EAGAIN) {
      wait_for(EPOLLIN | EPOLLOUT);
      return false;
    }
    if (bytes < 0) {
      fail(std::strerror(errno));
      return false;
    }
    flight_sent_ += static_cast<std::size_t>(bytes);
  }
  wait_for(EPOLLIN);
  return true;
}

bool Client::receive() {
  const asio::mutable_buffer space = engine_->input_space();
  const ssize_t bytes = ::recv(socket_, space.data(), space.size(), MSG_DONTWAIT);
  if (bytes < 0) {
    if (errno != EAGAIN) fail(std::strerror(errno));
    return false;
  }
  drained_ = static_cast<std::size_t>(bytes) < space.size() && bytes > 0;
  if (bytes == 0) {
    engine_->input_ended();
  } else {
    engine_->input_arrived(static_cast<std::size_t>(bytes));
  }
  return true;
}

Client::Progress Client::fail(std::string why) {
  if (failure_.empty()) failure_ = std::move(why);
  return Progress::failed;
}

void Client::wait_for(unsigned events) {
  if (events == watched_) return;
  epoll_event event{};
  event.events = events;
  event.data.ptr = this;
  if (epoll_ctl(epoll_, watched_ == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, socket_, &event) != 0) {
    throw std::runtime_error(std::string("epoll_ctl: ") + std::strerror(errno));
  }
  watched_ = events;
}

}  // namespace livetls::bench
