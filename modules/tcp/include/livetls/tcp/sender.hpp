#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "livetls/async/task.hpp"
#include "livetls/base/result.hpp"

namespace livetls::tcp {

/// Sends messages on a MessageStream that is in `run`, in the order in which they are queued. What
/// has queued up leaves in as few writes as may be.
///
/// Thread safety: any thread; copies send on the same stream. Lifetime: it may outlive the stream.
class Sender {
 public:
  class Queue;

  /// Queues a message. Errors: FramingErrc; no_buffer_space where too much is queued (see
  /// MessageOptions), and shut_down where the stream has ended.
  Result<void> send(std::string_view payload) const;

  /// The same, but waits for room. Errors: besides those of `send`, timed_out.
  Task<Result<void>> send_when_room(
      std::string payload,
      std::chrono::steady_clock::duration within = std::chrono::seconds(30)) const;

 private:
  friend class MessageStream;
  explicit Sender(std::shared_ptr<Queue> queue) : queue_(std::move(queue)) {}

  std::shared_ptr<Queue> queue_;
};

}  // namespace livetls::tcp
