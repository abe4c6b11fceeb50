#include "outbox.hpp"

#include <utility>

namespace livetls::node {
namespace {

/// Messages by their stream, each subscription's events, and all that is small or awaited already.
std::uint64_t line_of(const Frame& frame) {
  constexpr std::uint64_t kEvents = std::uint64_t{1} << 32;
  constexpr std::uint64_t kReplies = std::uint64_t{1} << 33;
  constexpr std::uint64_t kControl = std::uint64_t{1} << 34;
  switch (frame.kind) {
    case FrameKind::message:
    case FrameKind::request:
    case FrameKind::subscribe:
    case FrameKind::unsubscribe: return frame.stream;
    case FrameKind::event:
    case FrameKind::end: return kEvents + (frame.id & 0xffffffff);
    case FrameKind::reply:
    case FrameKind::failure: return kReplies;
    default: return kControl;
  }
}

}  // namespace

Outbox::Outbox(std::size_t max_bytes, std::function<void()> wake)
    : max_bytes_(max_bytes), wake_(std::move(wake)), credit_(kInitialCredit) {}

Outbox::Put Outbox::put(Frame& frame) {
  {
    const std::scoped_lock lock(mutex_);
    const bool is_new = needs_credit(frame.kind);
    if (closed_ || (is_new && closed_to_new_)) return Put::closed;
    if (is_new && !fits(cost(frame))) return Put::full;
    put_in_line(frame);
    if (!std::exchange(idle_, false)) return Put::done;
  }
  wake_();
  return Put::done;
}

void Outbox::put_in_line(Frame& frame) {
  waiting(frame) += cost(frame);
  const std::uint64_t line = line_of(frame);
  Stream& stream = streams_[line];
  stream.frames.push_back(std::move(frame));
  if (!std::exchange(stream.has_turn, true)) turns_.push_back(line);
}

std::string Outbox::take(std::size_t max_bytes) {
  std::string taken;
  const std::scoped_lock lock(mutex_);
  std::size_t skipped = 0;  // in a row, for lack of credit
  while (skipped < turns_.size() && taken.size() < max_bytes) {
    const std::uint64_t line = turns_.front();
    const auto entry = streams_.find(line);
    std::deque<Frame>& frames = entry->second.frames;
    turns_.pop_front();
    if (!may_go(frames.front())) {
      turns_.push_back(line);
      ++skipped;
      continue;
    }
    skipped = 0;
    const Frame& frame = frames.front();
    if (needs_credit(frame.kind)) credit_ -= static_cast<std::int64_t>(cost(frame));
    waiting(frame) -= cost(frame);
    append(frame, taken);
    frames.pop_front();
    frames.empty() ? void(streams_.erase(entry)) : turns_.push_back(line);
  }
  idle_ = taken.empty();
  return taken;
}

void Outbox::grant(std::uint64_t credit) {
  {
    const std::scoped_lock lock(mutex_);
    credit_ += static_cast<std::int64_t>(credit);
    if (!std::exchange(idle_, false)) return;
  }
  wake_();
}

void Outbox::close_to_new() {
  const std::scoped_lock lock(mutex_);
  closed_to_new_ = true;
}

void Outbox::close() {
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  streams_.clear();
  turns_.clear();
  waiting_bytes_ = 0;
  answer_bytes_ = 0;
}

bool Outbox::is_empty() const {
  const std::scoped_lock lock(mutex_);
  return turns_.empty();
}

bool Outbox::has_room(std::size_t cost) const {
  const std::scoped_lock lock(mutex_);
  return closed_ || closed_to_new_ || fits(cost);
}

bool Outbox::has_room_for_answers() const {
  const std::scoped_lock lock(mutex_);
  return closed_ || answer_bytes_ < max_bytes_;
}

}  // namespace livetls::node
