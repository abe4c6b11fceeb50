#include "livetls/web/event_stream.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "livetls/async/race.hpp"
#include "livetls/async/timer.hpp"
#include "livetls/web/http_error.hpp"

namespace livetls::web {

namespace asio = boost::asio;

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kAsTuple = asio::as_tuple(use_task);

void append_field(std::string& text, std::string_view name, std::string_view value) {
  if (value.find_first_of(std::string_view("\r\n\0", 3)) != value.npos) {
    throw std::invalid_argument("an event's type and id are one line each");
  }
  if (!value.empty()) text.append(name).append(": ").append(value).append("\n");
}

/// A field for each line: what separates them comes out as "\n".
void append_data(std::string& text, std::string_view data) {
  for (;;) {
    const std::size_t end = data.find_first_of("\r\n");
    text.append("data: ").append(data.substr(0, end)).append("\n");
    if (end == data.npos) return;
    data.remove_prefix(end + (data.substr(end).starts_with("\r\n") ? 2 : 1));
  }
}

std::string event(std::string_view data, std::string_view type, std::string_view id) {
  std::string text;
  append_field(text, "event", type);
  append_field(text, "id", id);
  append_data(text, data);
  return text + "\n";
}

bool is_cancelled(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const boost::system::system_error& failure) {
    return failure.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

}  // namespace

struct EventStream::State {
  State(BodyWriter& o, Executor executor)
      : out(o), turn(executor, Clock::time_point::max()), next_beat(executor) {}

  BodyWriter& out;
  bool writing = false;
  bool lost = false;
  Clock::time_point written_at = Clock::now();
  Timer turn;  // who sends waits here for a beat that is under way
  Timer next_beat;
};

EventStream::EventStream(std::unique_ptr<State> state) : state_(std::move(state)) {}

EventStream::~EventStream() = default;

Task<void> EventStream::send(std::string_view data, std::string_view type, std::string_view id) {
  std::string text = event(data, type, id);
  while (state_->writing) co_await state_->turn.async_wait(kAsTuple);
  co_await write(std::move(text));
  if (state_->out.stopping()) throw boost::system::system_error(asio::error::operation_aborted);
}

/// What is being written is written whole, or the stream could not end properly. Where that fails,
/// the beat ends, and the stream with it, whatever the producer makes of the exception.
Task<void> EventStream::write(std::string text) {
  if (state_->lost) co_await state_->turn.async_wait(use_task);  // for the end
  state_->writing = true;
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  std::exception_ptr failure;
  try {
    co_await state_->out.write(text);
  } catch (...) {
    failure = std::current_exception();
  }
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  state_->written_at = Clock::now();
  state_->writing = false;
  state_->turn.cancel();
  if (!failure) co_return;
  state_->lost = true;
  state_->next_beat.cancel();
  std::rethrow_exception(failure);
}

Task<void> EventStream::beat(Clock::duration period) {
  while (!state_->lost) {
    state_->next_beat.expires_at(state_->written_at + period);
    co_await state_->next_beat.async_wait(kAsTuple);
    if (state_->writing) state_->written_at = Clock::now();
    const bool is_due = !state_->lost && Clock::now() - state_->written_at >= period;
    if (is_due) co_await write(":\n\n");
  }
  throw ConnectionLost(asio::error::connection_reset);
}

Response event_stream(std::function<Task<void>(EventStream&)> produce, Clock::duration heartbeat) {
  Response response =
      Response::streamed("text/event-stream",
                         [produce = std::move(produce), heartbeat](BodyWriter& out) -> Task<void> {
                           const Executor executor = co_await asio::this_coro::executor;
                           EventStream events(std::make_unique<EventStream::State>(out, executor));
                           std::vector<Task<void>> tasks;
                           tasks.push_back(produce(events));
                           tasks.push_back(events.beat(heartbeat));
                           tasks.push_back(out.stopped());
                           try {
                             co_await first_of(std::move(tasks));
                           } catch (...) {
                             if (!out.stopping() || !is_cancelled(std::current_exception())) throw;
                           }
                         });
  response.headers.set("Cache-Control", "no-cache");
  return response;
}

}  // namespace livetls::web
