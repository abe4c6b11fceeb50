#pragma once

#include <algorithm>
#include <array>
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "livetls/async/task.hpp"

namespace livetls::test {

/// One end of a connection through memory, as an Asio AsyncStream: what a socket would be, without
/// its surprises. Operations move a chunk at most, complete only from the io_context, can be
/// cancelled, and one of them can be made to fail.
class MemoryStream {
 public:
  using executor_type = Executor;
  using lowest_layer_type = MemoryStream;

  static constexpr std::size_t kUnlimited = static_cast<std::size_t>(-1);

  /// What the failed operation answers.
  static constexpr auto kInjected = boost::asio::error::network_reset;

  struct Options {
    std::size_t chunk = kUnlimited;     ///< bytes that one read or write moves at most
    std::size_t capacity = kUnlimited;  ///< bytes that fit in between; a write waits for room
    std::size_t fail_at = kUnlimited;   ///< the operation that fails, counted over both ends from 0
  };

  static std::pair<MemoryStream, MemoryStream> make_pair(boost::asio::io_context& io,
                                                         Options options) {
    const auto shared = std::make_shared<Shared>(io.get_executor(), options);
    return {MemoryStream(shared, 0), MemoryStream(shared, 1)};
  }

  MemoryStream(MemoryStream&&) noexcept = default;

  executor_type get_executor() noexcept { return shared_->executor; }
  MemoryStream& lowest_layer() noexcept { return *this; }
  const MemoryStream& lowest_layer() const noexcept { return *this; }

  template <class MutableBufferSequence, class Token>
  auto async_read_some(const MutableBufferSequence& buffers, Token&& token) {
    Pipe& pipe = shared_->pipes[1 - end_];
    return start(
        pipe, [=, this, &pipe] { return read(pipe, buffers); }, token);
  }

  template <class ConstBufferSequence, class Token>
  auto async_write_some(const ConstBufferSequence& buffers, Token&& token) {
    ++shared_->ends[end_].writes;
    Pipe& pipe = shared_->pipes[end_];
    return start(
        pipe, [=, this, &pipe] { return write(pipe, buffers); }, token);
  }

  /// The peer reads what was written before, and then the end of the stream.
  void close() {
    shared_->ends[end_].open = false;
    for (Pipe& pipe : shared_->pipes) pipe.changed.cancel();
  }

  std::size_t writes() const { return shared_->ends[end_].writes; }
  bool fault_has_fired() const { return shared_->operations > shared_->options.fail_at; }
  bool fault_fired_here() const { return shared_->ends[end_].failed; }

 private:
  using Timer = boost::asio::basic_waitable_timer<
      std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

  struct Answer {
    boost::system::error_code error;
    std::size_t bytes;
  };

  struct Pipe {
    explicit Pipe(Executor executor) : changed(executor, Timer::time_point::max()) {}
    Timer changed;  // cancelled to wake whoever waits for bytes or for room
    std::string bytes;
  };

  struct End {
    bool open = true;
    bool failed = false;
    std::size_t writes = 0;
  };

  struct Shared {
    Shared(Executor e, Options o) : executor(e), options(o), pipes{Pipe(e), Pipe(e)} {}
    Executor executor;
    Options options;
    std::array<Pipe, 2> pipes;  // by the end that writes
    std::array<End, 2> ends;
    std::size_t operations = 0;
  };

  using Signature = void(boost::system::error_code, std::size_t);
  using Handler = boost::asio::any_completion_handler<Signature>;
  using Perform = std::function<std::optional<Answer>()>;

  struct Operation {
    MemoryStream* stream;
    Pipe* pipe;
    bool fails;
    Perform perform;
    bool started = false;

    template <class Self>
    void operator()(Self& self, boost::system::error_code = {}) {
      if (!std::exchange(started, true)) {
        self.reset_cancellation_state(boost::asio::enable_total_cancellation());
        return boost::asio::post(stream->get_executor(), std::move(self));
      }
      if (self.cancelled() != boost::asio::cancellation_type::none) {
        return self.complete(boost::asio::error::operation_aborted, 0);
      }
      if (fails) return self.complete(kInjected, 0);
      if (const std::optional<Answer> answer = perform()) {
        pipe->changed.cancel();
        return self.complete(answer->error, answer->bytes);
      }
      pipe->changed.async_wait(std::move(self));
    }
  };

  MemoryStream(std::shared_ptr<Shared> shared, std::size_t end)
      : shared_(std::move(shared)), end_(end) {}

  /// Whatever the handler is, it is one type from here on: tests have many, and each would be
  /// compiled with all that an operation does.
  template <class Token>
  auto start(Pipe& pipe, Perform perform, Token& token) {
    const bool fails = shared_->operations++ == shared_->options.fail_at;
    if (fails) shared_->ends[end_].failed = true;
    return boost::asio::async_initiate<Token, Signature>(
        [operation = Operation{this, &pipe, fails, std::move(perform)}](auto handler) mutable {
          operation.stream->start(std::move(operation), Handler(std::move(handler)));
        },
        token);
  }

  void start(Operation operation, Handler handler) {
    boost::asio::async_compose<Handler, Signature>(std::move(operation), handler,
                                                   shared_->executor);
  }

  template <class Buffers>
  std::optional<Answer> read(Pipe& pipe, const Buffers& buffers) {
    if (!shared_->ends[end_].open) return Answer{boost::asio::error::operation_aborted, 0};
    if (boost::asio::buffer_size(buffers) == 0) return Answer{{}, 0};
    if (pipe.bytes.empty()) {
      if (shared_->ends[1 - end_].open) return std::nullopt;
      return Answer{boost::asio::error::eof, 0};
    }
    const std::size_t count =
        boost::asio::buffer_copy(buffers, boost::asio::buffer(pipe.bytes), shared_->options.chunk);
    pipe.bytes.erase(0, count);
    return Answer{{}, count};
  }

  template <class Buffers>
  std::optional<Answer> write(Pipe& pipe, const Buffers& buffers) {
    if (!shared_->ends[end_].open) return Answer{boost::asio::error::operation_aborted, 0};
    if (!shared_->ends[1 - end_].open) return Answer{boost::asio::error::broken_pipe, 0};
    const std::size_t room = shared_->options.capacity - pipe.bytes.size();
    const std::size_t count =
        std::min({boost::asio::buffer_size(buffers), room, shared_->options.chunk});
    if (count == 0 && room == 0) return std::nullopt;
    const std::size_t before = pipe.bytes.size();
    pipe.bytes.resize(before + count);
    boost::asio::buffer_copy(boost::asio::buffer(pipe.bytes) + before, buffers);
    return Answer{{}, count};
  }

  std::shared_ptr<Shared> shared_;
  std::size_t end_;
};

}  // namespace livetls::test
