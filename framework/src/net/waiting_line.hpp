#pragma once

#include <atomic>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstddef>
#include <optional>

#include "livetls/net/connection.hpp"

namespace livetls {

/// Accepted connections that wait for their client's next message, the longest first: where a limit
/// is reached, the one that has waited longest makes room. A connection is in one line at most.
///
/// Thread safety: use it on one server thread only; `size` from any.
class WaitingLine {
 public:
  using Clock = std::chrono::steady_clock;

  /// A connection's place in a line, if it has one.
  class Place : public boost::intrusive::list_base_hook<> {
   public:
    explicit Place(Connection& connection) : connection_(connection) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { leave(); }

    /// At the end of `line`, from now on.
    void enter(WaitingLine& line) {
      leave();
      line_ = &line;
      since_ = Clock::now();
      line.places_.push_back(*this);
      line.resized(1);
    }

    void leave() {
      if (line_ == nullptr) return;
      line_->places_.erase(line_->places_.iterator_to(*this));
      line_->resized(-1);
      line_ = nullptr;
    }

    /// Whether the connection was closed so that another could be served.
    bool evicted() const { return evicted_; }

   private:
    friend class WaitingLine;

    Connection& connection_;
    WaitingLine* line_ = nullptr;
    Clock::time_point since_;
    bool evicted_ = false;
  };

  std::size_t size() const { return size_.load(std::memory_order_relaxed); }

  /// Since when the first has waited; nothing where the line is empty.
  std::optional<Clock::time_point> longest_since() const {
    return places_.empty() ? std::nullopt : std::optional(places_.front().since_);
  }

  /// Closes the connection that has waited longest; there must be one.
  void evict_longest() {
    Place& place = places_.front();
    place.leave();
    place.evicted_ = true;
    place.connection_.cut();
  }

 private:
  void resized(std::ptrdiff_t by) {
    size_.store(size() + static_cast<std::size_t>(by), std::memory_order_relaxed);
  }

  boost::intrusive::list<Place> places_;
  std::atomic<std::size_t> size_ = 0;  // written by one thread
};

}  // namespace livetls
