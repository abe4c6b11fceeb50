#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "frame.hpp"

namespace livetls::node {

/// What waits to be sent on one connection. Streams take turns, frame by frame, so that none waits
/// for all of another; within a stream, order is kept. What needs credit waits until there is some;
/// what does not, does not wait behind it.
///
/// Thread-safe.
class Outbox {
 public:
  /// `wake` is called, with nothing held, when there may be something to take after `take` found
  /// nothing.
  Outbox(std::size_t max_bytes, std::function<void()> wake);

  enum class Put { done, full, closed };

  /// Frames that need credit are refused where too much waits, and after `close_to_new`. On `done`,
  /// the frame is moved from.
  Put put(Frame& frame);

  /// Frames for one write, encoded: up to `max_bytes`, or one that is larger.
  std::string take(std::size_t max_bytes);

  void grant(std::uint64_t credit);

  /// What needs credit is refused from now on.
  void close_to_new();

  /// Everything is refused, and what waits is dropped.
  void close();

  bool is_empty() const;

  /// Whether a frame of this cost may be put, or none any more.
  bool has_room(std::size_t cost) const;

  /// Whether replies and events that wait are few enough for more to be made, or none go any more.
  bool has_room_for_answers() const;

 private:
  struct Stream {
    std::deque<Frame> frames;
    bool has_turn = false;  // listed in turns_
  };

  bool may_go(const Frame& frame) const { return !needs_credit(frame.kind) || credit_ > 0; }
  bool fits(std::size_t cost) const {
    return waiting_bytes_ == 0 || waiting_bytes_ + cost <= max_bytes_;
  }
  std::size_t& waiting(const Frame& frame) {
    return needs_credit(frame.kind) ? waiting_bytes_ : answer_bytes_;
  }
  void put_in_line(Frame& frame);

  const std::size_t max_bytes_;
  const std::function<void()> wake_;

  mutable std::mutex mutex_;
  std::map<std::uint64_t, Stream> streams_;
  std::deque<std::uint64_t> turns_;
  std::size_t waiting_bytes_ = 0;  // of what needs credit
  std::size_t answer_bytes_ = 0;   // of what does not
  std::int64_t credit_;
  bool closed_to_new_ = false;
  bool closed_ = false;
  bool idle_ = false;  // take found nothing
};

/// How much a node takes of what its handlers are not done with, and what its peer may send at
/// first.
constexpr std::int64_t kInitialCredit = 1024 * 1024;

}  // namespace livetls::node
