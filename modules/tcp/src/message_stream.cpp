#include "livetls/tcp/message_stream.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <utility>

#include "livetls/async/race.hpp"
#include "send_queue.hpp"

namespace livetls::tcp {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kMinReadBytes = 512;
constexpr std::size_t kMaxReadBytes = 64 * 1024;

constexpr std::size_t kWritePiece = 256 * 1024;

void check(const MessageOptions& options) {
  const auto none = std::chrono::steady_clock::duration::zero();
  if (options.idle_timeout <= none || options.message_timeout <= none ||
      options.write_timeout <= none || options.keep_alive_period <= none) {
    throw std::invalid_argument("the time limits of MessageOptions must be above zero");
  }
}

}  // namespace

MessageStream::MessageStream(Connection& connection, Framing framing, MessageOptions options)
    : connection_(connection),
      framer_(std::move(framing)),
      options_(std::move(options)),
      wanted_(kMinReadBytes) {
  check(options_);
}

void MessageStream::become(Framing framing, MessageOptions options) {
  check(options);
  framer_ = Framer(std::move(framing));
  options_ = std::move(options);
}

// ---- Reading -----------------------------------------------------------------------------------

std::string_view MessageStream::arrived() const noexcept {
  return std::string_view(buffer_).substr(begin_, end_ - begin_);
}

Task<Result<std::optional<MessageStream::Message>>> MessageStream::read() {
  begin_ += std::exchange(handed_out_, 0);
  bool limited = false;
  while (true) {
    const auto frame = framer_.find(arrived());
    if (!frame) co_return frame.error();
    if (*frame) {
      read_limit_.reset();
      keep_deadline();
      handed_out_ = (*frame)->size();
      const std::string_view whole = arrived();
      co_return Message{whole.substr(0, (*frame)->header),
                        whole.substr((*frame)->header, (*frame)->payload)};
    }
    const bool within = begin_ < end_;
    connection_.keep_reading_on_stop(within || options_.reads_on_stop);
    if (within && !std::exchange(limited, true)) wait_at_most(options_.message_timeout);
    if (!within) wait_at_most(options_.idle_timeout);
    const Result<bool> more = co_await read_more();
    if (!more) co_return is_late(more.error()) ? Error(asio::error::timed_out) : more.error();
    if (!*more && within) co_return Error(FramingErrc::message_truncated);
    if (!*more) co_return std::optional<Message>();
  }
}

/// False at the end. As much is asked for as came lately: a busy peer's messages come many at a
/// time, and who waits for one holds little.
Task<Result<bool>> MessageStream::read_more() {
  make_room();
  const std::size_t room = buffer_.size() - end_;
  const auto bytes = co_await connection_.read_some(asio::buffer(buffer_.data() + end_, room));
  if (!bytes) co_return bytes.error();
  end_ += *bytes;
  if (*bytes == room) wanted_ = std::min(2 * wanted_, kMaxReadBytes);
  if (*bytes < wanted_ / 4) wanted_ = std::max(wanted_ / 2, kMinReadBytes);
  co_return *bytes > 0;
}

void MessageStream::make_room() {
  const std::size_t held = end_ - begin_;
  if (held == 0 && buffer_.size() > 2 * wanted_) {
    std::string(wanted_, '\0').swap(buffer_);
  } else {
    std::memmove(buffer_.data(), buffer_.data() + begin_, held);
  }
  begin_ = 0;
  end_ = held;
  if (buffer_.size() < held + wanted_) buffer_.resize(held + wanted_);
}

// ---- Writing -----------------------------------------------------------------------------------

Task<Result<void>> MessageStream::write(std::string_view payload, std::string_view header) {
  const Result<std::string> filled = framer_.header_for(payload, header);
  if (!filled) co_return filled.error();
  co_return co_await write_pieces(*filled, payload, framer_.trailer());
}

Task<Result<void>> MessageStream::write_framed(std::string_view bytes) {
  co_return co_await write_pieces({}, bytes, {});
}

Task<Result<void>> MessageStream::write_pieces(std::string_view head, std::string_view rest,
                                               std::string_view trailer) {
  writing_ = true;
  Result<void> written;
  do {
    const std::string_view piece = rest.substr(0, kWritePiece);
    rest.remove_prefix(piece.size());
    const std::array<asio::const_buffer, 3> pieces = {
        asio::buffer(head), asio::buffer(piece),
        asio::buffer(rest.empty() ? trailer : std::string_view())};
    connection_.deadline().expires_after(options_.write_timeout);
    written = co_await connection_.write(pieces);
    head = {};
  } while (written && !rest.empty());
  writing_ = false;
  keep_deadline();
  co_return written;
}

// ---- Sending from anywhere ---------------------------------------------------------------------

namespace {

/// What it throws is kept: thrown, it would cut off what is still being written.
Task<void> talk_and_close(std::function<Task<void>(Sender)> talk, Sender sender,
                          std::shared_ptr<Sender::Queue> queue, std::exception_ptr& thrown) {
  try {
    co_await talk(std::move(sender));
  } catch (...) {
    thrown = std::current_exception();
  }
  queue->close();
}

}  // namespace

Task<void> MessageStream::run(std::function<Task<void>(Sender)> talk) {
  const auto queue = std::make_shared<Sender::Queue>(connection_.get_executor(), framer_,
                                                     options_.max_queued_bytes);
  struct Closing {
    ~Closing() { queue.close(); }
    Sender::Queue& queue;
  } closing{*queue};
  std::exception_ptr thrown;
  Task<void> talking = talk_and_close(std::move(talk), Sender(queue), queue, thrown);
  Task<void> writing = write_queued(queue);
  co_await all_of(std::move(talking), std::move(writing));
  if (thrown) std::rethrow_exception(thrown);
}

Task<void> MessageStream::write_queued(std::shared_ptr<Sender::Queue> queue) {
  const bool keeps_alive = !options_.keep_alive_bytes.empty();
  const auto period = keeps_alive ? options_.keep_alive_period : Clock::duration::max();
  while (true) {
    const bool was_closed = queue->is_closed();
    std::string bytes = queue->take();
    if (bytes.empty()) {
      if (was_closed) co_return;
      const bool news = co_await queue->wait_for_news(period);
      if (news || !keeps_alive) continue;
      bytes = options_.keep_alive_bytes;
    }
    const auto sent = co_await write_framed(bytes);
    if (!sent) co_return queue->close();
  }
}

// ---- The deadline ------------------------------------------------------------------------------

/// A write may have moved the deadline since it ended a read.
bool MessageStream::is_late(const Error& error) const {
  return error.code == asio::error::operation_aborted && read_limit_ &&
         Clock::now() >= *read_limit_;
}

void MessageStream::wait_at_most(Clock::duration limit) {
  const auto now = Clock::now();
  const bool endless = limit >= Clock::time_point::max() - now;
  read_limit_ = endless ? Clock::time_point::max() : now + limit;
  keep_deadline();
}

/// The connection has one: while something is written, the write's; then what the read has left.
void MessageStream::keep_deadline() {
  if (writing_) return;
  if (!read_limit_ || *read_limit_ == Clock::time_point::max()) {
    return connection_.deadline().clear();
  }
  const auto left = *read_limit_ - Clock::now();
  connection_.deadline().expires_after(std::max<Clock::duration>(left, Clock::duration(1)));
}

}  // namespace livetls::tcp
