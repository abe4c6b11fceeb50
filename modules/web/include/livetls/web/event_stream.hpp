#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "livetls/async/task.hpp"
#include "livetls/web/response.hpp"

namespace livetls::web {

/// Where a handler puts its events.
///
/// Thread safety: none; it belongs to the connection's thread. One `send` at a time.
class EventStream {
 public:
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;
  ~EventStream();

  /// `data` is any text, whose line breaks are kept; `type` is "message" where it is empty; `id`
  /// comes back as Last-Event-ID when the client connects anew. Waits until the client has taken
  /// enough. Throws std::invalid_argument where type or id hold a line break, ConnectionLost where
  /// the client has gone, and operation_aborted while the server is stopping.
  Task<void> send(std::string_view data, std::string_view type = {}, std::string_view id = {});

 private:
  friend Response event_stream(std::function<Task<void>(EventStream&)>,
                               std::chrono::steady_clock::duration);

  struct State;
  explicit EventStream(std::unique_ptr<State> state);
  Task<void> write(std::string text);
  Task<void> beat(std::chrono::steady_clock::duration period);

  std::unique_ptr<State> state_;
};

/// Server-sent events (HTML Standard, section 9.2), for as long as `produce` runs:
///
///     router.get("/prices", [&](Request&) {
///       return event_stream([&](EventStream& events) -> Task<void> {
///         for (;;) co_await events.send(co_await prices.next());
///       });
///     });
///
/// Where nothing was sent for `heartbeat`, a comment is, so that what lies between keeps the
/// connection, and a client that has gone is noticed. When the server stops, what `produce` waits
/// for is cancelled, and the stream ends properly: browsers connect anew by themselves.
Response event_stream(std::function<Task<void>(EventStream&)> produce,
                      std::chrono::steady_clock::duration heartbeat = std::chrono::seconds(15));

}  // namespace livetls::web
