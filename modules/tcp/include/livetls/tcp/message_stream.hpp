#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "livetls/async/task.hpp"
#include "livetls/base/result.hpp"
#include "livetls/net/connection.hpp"
#include "livetls/tcp/framing.hpp"
#include "livetls/tcp/sender.hpp"

namespace livetls::tcp {

/// Time limits of a MessageStream. Range: above zero; duration::max() for none.
struct MessageOptions {
  /// From the end of a message to the first byte of the next, while one is waited for.
  std::chrono::steady_clock::duration idle_timeout = std::chrono::minutes(5);

  /// From a message's first byte to its last.
  std::chrono::steady_clock::duration message_timeout = std::chrono::seconds(30);

  /// How long the peer may take for each 256 KiB that it is sent.
  std::chrono::steady_clock::duration write_timeout = std::chrono::seconds(30);

  /// What Sender::send may queue; one message may always wait.
  std::size_t max_queued_bytes = 1024 * 1024;

  /// In `run`, sent as they are when nothing was for so long; none where they are empty.
  std::string keep_alive_bytes = {};
  std::chrono::steady_clock::duration keep_alive_period = std::chrono::seconds(30);

  /// A stop of the server does not end `read` between messages: for protocols that say goodbye.
  bool reads_on_stop = false;
};

/// A connection that is read and written by messages:
///
///     Task<void> answer(tcp::Connection& connection) {
///       tcp::MessageStream messages(connection, tcp::LengthField{.bytes = 2});
///       while (true) {
///         const auto message = co_await messages.read();
///         if (!message || !*message) co_return;   // an error, or the end
///         const auto sent = co_await messages.write((*message)->payload);
///         if (!sent) co_return;
///       }
///     }
///
/// It keeps the connection's deadline for itself.
///
/// Thread safety: none; it belongs to the connection's thread. One `read` and one `write` may be
/// outstanding together. Lifetime: the connection must outlive it.
class MessageStream {
 public:
  /// Throws std::invalid_argument for a framing that cannot be, or time limits out of range.
  MessageStream(Connection& connection, Framing framing, MessageOptions options = {});

  /// Both last until the next `read`.
  struct Message {
    std::string_view header;  ///< a LengthField's, with the field
    std::string_view payload;
  };

  /// Other framing and limits from the next message on, as after a handshake. Not while something
  /// is outstanding. Throws as the constructor does.
  void become(Framing framing, MessageOptions options);

  /// The next message, or nothing where the peer has ended its side after the last. Errors:
  /// FramingErrc, timed_out, operation_aborted while the server is stopping (between messages), and
  /// the transport's. After an error there is nothing more to read.
  Task<Result<std::optional<Message>>> read();

  /// Sends a message, with what its framing wants around it, in as few records as may be. `header`
  /// is a LengthField's, in which the field is filled in; empty: zeros. Errors: FramingErrc, after
  /// which nothing was sent and others may be; timed_out and the transport's.
  Task<Result<void>> write(std::string_view payload, std::string_view header = {});

  /// Runs `talk`, which may read; what is written meanwhile goes through the Sender, from wherever.
  /// When it has returned or thrown, what is queued is sent yet. What it throws comes from here.
  Task<void> run(std::function<Task<void>(Sender)> talk);

  /// Sends bytes that are whole messages already, with all that goes around them.
  Task<Result<void>> write_framed(std::string_view bytes);

 private:
  using Clock = std::chrono::steady_clock;

  std::string_view arrived() const noexcept;
  Task<void> write_queued(std::shared_ptr<Sender::Queue> queue);
  Task<Result<bool>> read_more();
  Task<Result<void>> write_pieces(std::string_view head, std::string_view rest,
                                  std::string_view trailer);
  void make_room();
  bool is_late(const Error& error) const;
  void wait_at_most(Clock::duration limit);
  void keep_deadline();

  Connection& connection_;
  Framer framer_;
  MessageOptions options_;

  std::string buffer_;
  std::size_t wanted_;     // to be read at once
  std::size_t begin_ = 0;  // of what has arrived and was not handed out
  std::size_t end_ = 0;
  std::size_t handed_out_ = 0;
  std::optional<Clock::time_point> read_limit_;  // while one is outstanding
  bool writing_ = false;
};

}  // namespace livetls::tcp
