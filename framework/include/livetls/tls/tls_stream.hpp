#pragma once

#include <array>
#include <boost/asio/append.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "livetls/tls/tls_engine.hpp"

namespace livetls {

/// TLS over any Asio stream: an AsyncReadStream and AsyncWriteStream, for Beast and everything else
/// that takes one, with any completion token.
///
/// Thread safety: none; use it from one thread or strand. One read and one write may be outstanding
/// together, with a handshake or shutdown where that makes sense.
/// Lifetime: the stream must outlive its operations. It may be moved while none is outstanding.
/// Cancellation: a read can be cancelled and begun again (total). After another operation was
/// cancelled (terminal) the stream is good for closing only.
/// End of stream: asio::error::eof after the peer's close_notify, Errc::stream_truncated where the
/// transport ended without one.
template <class NextLayer>
class TlsStream {
 public:
  using next_layer_type = NextLayer;
  using lowest_layer_type = typename NextLayer::lowest_layer_type;
  using executor_type = typename NextLayer::executor_type;

  /// The server's side.
  TlsStream(NextLayer next_layer, std::shared_ptr<const ServerConfig> config)
      : next_layer_(std::move(next_layer)),
        state_(std::make_unique<State>(TlsEngine(std::move(config)))) {}

  /// The client's side. See ClientOptions for what is verified.
  TlsStream(NextLayer next_layer, std::shared_ptr<const ClientContext> context,
            ServerName server_name, std::optional<ClientSession> session = {})
      : next_layer_(std::move(next_layer)),
        state_(std::make_unique<State>(
            TlsEngine(std::move(context), std::move(server_name), std::move(session)))) {}

  executor_type get_executor() noexcept { return next_layer_.get_executor(); }
  NextLayer& next_layer() noexcept { return next_layer_; }
  lowest_layer_type& lowest_layer() noexcept { return next_layer_.lowest_layer(); }
  const lowest_layer_type& lowest_layer() const noexcept { return next_layer_.lowest_layer(); }

  /// Facts about the connection: version, ALPN, what was served, who the peer is.
  const TlsEngine& tls() const noexcept { return state_->engine; }

  /// void(error_code). The server's side: see TlsEngine::receive_hello.
  template <class Token>
  auto async_receive_hello(Token&& token) {
    return start<void(boost::system::error_code)>(Hello(), token);
  }

  /// void(error_code)
  template <class Token>
  auto async_handshake(Token&& token) {
    return start<void(boost::system::error_code)>(Handshake(), token);
  }

  /// void(error_code, std::size_t)
  template <class MutableBufferSequence, class Token>
  auto async_read_some(const MutableBufferSequence& buffers, Token&& token) {
    return start<void(boost::system::error_code, std::size_t)>(
        Read{first_non_empty<boost::asio::mutable_buffer>(buffers)}, token);
  }

  /// void(error_code, std::size_t). All bytes it reports have been handed to the next layer.
  template <class ConstBufferSequence, class Token>
  auto async_write_some(const ConstBufferSequence& buffers, Token&& token) {
    using Signature = void(boost::system::error_code, std::size_t);
    return boost::asio::async_initiate<Token, Signature>(
        [this](auto handler, const ConstBufferSequence& from) {
          // Encrypted before the operation first waits, so that it is one for all sequences.
          TlsEngine::Step step = write_gathered(from);
          if (step.next == TlsEngine::Step::Next::need_input) {  // a write needs none
            step = {TlsEngine::Step::Next::failed, 0, Errc::tls_failure};
          }
          start<Signature>(Write{step}, handler);
        },
        token, buffers);
  }

  /// void(error_code). Says close_notify, then waits for the peer's or the end of the transport,
  /// discarding what still arrives: put a deadline on it.
  template <class Token>
  auto async_shutdown(Token&& token) {
    return start<void(boost::system::error_code)>(Shutdown(), token);
  }

  /// Reads what has arrived already; never waits. Empty where the transport must be read first, or
  /// where the stream has come to its end: async_read_some then says how.
  std::optional<std::size_t> read_arrived(boost::asio::mutable_buffer into) {
    const TlsEngine::Step step = state_->engine.read(into);
    return step.next == TlsEngine::Step::Next::done ? std::optional(step.bytes) : std::nullopt;
  }

 private:
  using Timer =
      boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                        boost::asio::wait_traits<std::chrono::steady_clock>,
                                        executor_type>;

  struct State {
    explicit State(TlsEngine e) : engine(std::move(e)) {}

    TlsEngine engine;
    std::vector<std::uint8_t> flight;  // what the next layer is sending
    std::size_t flight_sent = 0;
    bool sending = false;
    bool receiving = false;
    std::optional<Timer> turn;  // where operations wait for another to finish sending or receiving

    /// A connection that waits should hold little.
    void forget_flight() {
      constexpr std::size_t kKeptBytes = 512;
      flight.clear();
      flight_sent = 0;
      if (flight.capacity() > kKeptBytes) TlsEngine::give_back(flight);
    }

    void pass_turn() {
      if (turn) turn->cancel();
    }
  };

  // What an operation has the engine do, until it needs no more input. Types with names: an
  // operation is compiled once for each, and for each kind of handler.
  struct Hello {
    TlsEngine::Step operator()(TlsEngine& engine) const { return engine.receive_hello(); }
  };
  struct Handshake {
    TlsEngine::Step operator()(TlsEngine& engine) const { return engine.handshake(); }
  };
  struct Read {
    boost::asio::mutable_buffer into;
    TlsEngine::Step operator()(TlsEngine& engine) const {
      return into.size() == 0 ? TlsEngine::Step{} : engine.read(into);
    }
  };
  struct Write {
    TlsEngine::Step done;
    TlsEngine::Step operator()(TlsEngine&) const { return done; }
  };
  struct Shutdown {
    TlsEngine::Step operator()(TlsEngine& engine) const { return engine.shutdown(); }
  };

  template <class Signature, class Perform>
  class Operation;

  template <class Signature, class Perform, class Token>
  auto start(Perform perform, Token& token) {
    return boost::asio::async_compose<Token, Signature>(
        Operation<Signature, Perform>(*this, perform), token, next_layer_);
  }

  template <class Buffer, class BufferSequence>
  static Buffer first_non_empty(const BufferSequence& buffers) {
    for (auto i = boost::asio::buffer_sequence_begin(buffers);
         i != boost::asio::buffer_sequence_end(buffers); ++i) {
      if (Buffer buffer = *i; buffer.size() != 0) return buffer;
    }
    return {};
  }

  /// Small pieces, such as the head and body of a message, go into one record, or at least into one
  /// write of the next layer.
  template <class ConstBufferSequence>
  TlsEngine::Step write_gathered(const ConstBufferSequence& buffers) try {
    TlsEngine& engine = state_->engine;
    constexpr std::size_t kRecordBytes = 16 * 1024;
    const auto first = first_non_empty<boost::asio::const_buffer>(buffers);
    if (first.size() == 0) return {};
    const std::size_t all = boost::asio::buffer_size(buffers);
    if (first.size() == all || first.size() >= kRecordBytes) return engine.write(first);
    std::array<std::uint8_t, TlsEngine::kMaxWriteBytes> gathered;
    const std::size_t size = boost::asio::buffer_copy(boost::asio::buffer(gathered), buffers);
    return engine.write(boost::asio::buffer(gathered.data(), size));
  } catch (const std::exception&) {
    return {TlsEngine::Step::Next::failed, 0, Errc::tls_failure};
  }

  NextLayer next_layer_;
  std::unique_ptr<State> state_;
};

/// Drives one engine operation: performs it, sends what it left to send in one write, receives when
/// it needs input, and performs it again. Only one operation at a time sends, and one receives; the
/// others wait for their turn.
///
/// A read never waits for a send: two peers that both write more than the network holds must go on
/// reading. What a read leaves to send (the answer to a KeyUpdate) goes out before the next write,
/// as RFC 8446, section 4.6.3 asks; only an alert, or a backlog of such answers, is sent at once.
/// In the same way, the ticket that ends a server's handshake goes out with its first write.
template <class NextLayer>
template <class Signature, class Perform>
class TlsStream<NextLayer>::Operation {
 public:
  Operation(TlsStream& stream, Perform perform)
      : next_layer_(&stream.next_layer_), state_(stream.state_.get()), perform_(perform) {}

  template <class Self>
  void operator()(Self& self, boost::system::error_code error = {}, std::size_t bytes = 0) {
    switch (std::exchange(phase_, Phase::working)) {
      case Phase::starting:
        if constexpr (kIsRead) {
          self.reset_cancellation_state(boost::asio::enable_total_cancellation());
        }
        first_call_ = true;
        break;
      case Phase::working: break;
      case Phase::completing: return finish(self);
      case Phase::sending: sent(error, bytes); break;
      case Phase::receiving: received(error, bytes); break;
      case Phase::waiting:
        if (self.cancelled() != boost::asio::cancellation_type::none) {
          result_ = {TlsEngine::Step::Next::failed, 0, boost::asio::error::operation_aborted};
          return finish(self);
        }
        break;
    }
    advance(self);
  }

 private:
  static constexpr bool kIsRead = std::is_same_v<Perform, Read>;
  enum class Phase { starting, working, sending, receiving, waiting, completing };
  static constexpr std::size_t kMaxDeferredBytes = 4096;

  /// More than a write and some answers: the peer asks for answers and does not take them.
  static constexpr std::size_t kMaxBacklogBytes = 2 * TlsEngine::kMaxWriteBytes;
  using Next = TlsEngine::Step::Next;

  template <class Self>
  void advance(Self& self) {
    if (!result_) perform();
    if (transport_failed_) return complete(self);
    if (must_send()) return state_->sending ? wait_for_turn(self) : send(self);
    if (result_) return complete(self);
    if (state_->receiving) return wait_for_turn(self);
    receive(self);
  }

  bool must_send() const {
    const bool pending = state_->sending || state_->flight_sent < state_->flight.size() ||
                         state_->engine.output_size() > 0;
    if (!kIsRead) return pending && !(result_ && result_->output_may_wait);
    const bool alert = result_ && result_->next == Next::failed && state_->engine.output_size() > 0;
    return !state_->sending && (alert || state_->engine.output_size() > kMaxDeferredBytes);
  }

  /// This runs between coroutines, where nobody would catch what is thrown.
  void perform() try {
    const TlsEngine::Step step = perform_(state_->engine);
    if (step.next != Next::need_input) result_ = step;
    if (kIsRead && !result_ && state_->engine.output_size() > kMaxBacklogBytes) {
      result_ = {Next::failed, 0, Errc::protocol_violation};
    }
  } catch (const std::exception&) {
    result_ = {Next::failed, 0, Errc::tls_failure};
  }

  template <class Self>
  void send(Self& self) {
    if (state_->flight_sent == state_->flight.size()) {
      state_->engine.take_output(state_->flight);
      state_->flight_sent = 0;
    }
    state_->sending = true;
    phase_ = Phase::sending;
    first_call_ = false;
    next_layer_->async_write_some(boost::asio::buffer(state_->flight) + state_->flight_sent,
                                  std::move(self));
  }

  void sent(boost::system::error_code error, std::size_t bytes) {
    state_->sending = false;
    state_->flight_sent += bytes;
    if (error) fail(error);
    if (state_->flight_sent == state_->flight.size()) state_->forget_flight();
    state_->pass_turn();
  }

  template <class Self>
  void receive(Self& self) {
    state_->receiving = true;
    phase_ = Phase::receiving;
    first_call_ = false;
    next_layer_->async_read_some(boost::asio::buffer(state_->engine.input_space()),
                                 std::move(self));
  }

  void received(boost::system::error_code error, std::size_t bytes) {
    state_->receiving = false;
    state_->engine.input_arrived(bytes);
    if (error == boost::asio::error::eof) {
      state_->engine.input_ended();
    } else if (error) {
      fail(error);
    }
    state_->pass_turn();
  }

  /// The transport's error is the result, unless the engine had failed already: then this was about
  /// its alert, and the reason for the alert says more.
  void fail(boost::system::error_code error) {
    transport_failed_ = true;
    if (!result_ || result_->next != Next::failed) result_ = {Next::failed, 0, error};
  }

  template <class Self>
  void wait_for_turn(Self& self) {
    if (!state_->turn) state_->turn.emplace(next_layer_->get_executor(), Timer::time_point::max());
    phase_ = Phase::waiting;
    first_call_ = false;
    state_->turn->async_wait(std::move(self));
  }

  /// A completion handler is never called from within the function that starts the operation.
  template <class Self>
  void complete(Self& self) {
    if (!first_call_) return finish(self);
    phase_ = Phase::completing;
    boost::asio::post(std::move(self));
  }

  template <class Self>
  void finish(Self& self) {
    if constexpr (std::is_same_v<Signature, void(boost::system::error_code)>) {
      self.complete(result_->error);
    } else {
      self.complete(result_->error, result_->bytes);
    }
  }

  NextLayer* next_layer_;
  State* state_;
  Perform perform_;
  std::optional<TlsEngine::Step> result_;
  Phase phase_ = Phase::starting;
  bool first_call_ = false;
  bool transport_failed_ = false;
};

}  // namespace livetls
