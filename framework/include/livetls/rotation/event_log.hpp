#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace livetls {

enum class EventKind {
  staged,
  refused,      ///< an update, a plan, a staple or a scheduled commit; the detail says why
  committed,    ///< something new is served; the detail names overridden refusals
  confirmed,    ///< a commit on trial stays
  rolled_back,  ///< by hand, or the end of a trial
  scheduled,
  revoked,
  quiesced,      ///< no handshake is in flight on anything older than `generation`
  drained,       ///< no connection either
  erased,        ///< nor is anything older in memory
  expiring,      ///< a certificate that is served now, once for each threshold
  staple_stale,  ///< clients no longer get the OCSP staple of a certificate that is served now
  ticket_epoch,  ///< tickets are sealed with another secret from now on
};

std::string_view to_string(EventKind kind) noexcept;

/// Something an operator may want to know, or prove later.
struct Event {
  EventKind kind;
  std::chrono::system_clock::time_point at;
  std::uint64_t generation;  ///< that was current, or that it is about
  std::string detail;

  /// "committed: generation 7: …"
  std::string message() const;
};

/// What happened to the certificates of one manager: the latest events, and those who want to be
/// told of them.
///
/// Thread safety: everything from any thread. Observers are called in the order of events, one at a
/// time, on a thread of the log's own: neither handshakes nor updates wait for them. One that falls
/// more than kMaxBehind events behind misses the oldest.
class EventLog {
 public:
  using Observer = std::function<void(const Event&)>;

  static constexpr std::size_t kMaxBehind = 10'000;

  /// Ends the observation when it is destroyed: from then on the observer is not running, either.
  /// (An observer may end its own.)
  class Observation {
   public:
    Observation() = default;
    Observation(Observation&&) noexcept = default;
    Observation& operator=(Observation&& other) noexcept;
    ~Observation();

   private:
    friend class EventLog;
    struct Entry;
    explicit Observation(std::shared_ptr<Entry> entry) : entry_(std::move(entry)) {}
    std::shared_ptr<Entry> entry_;
  };

  /// Keeps the `limit` latest events.
  explicit EventLog(std::size_t limit);
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  /// Ends the observations. An observer may do it.
  ~EventLog();

  void add(Event event);

  /// The oldest first.
  std::vector<Event> recent() const;

  /// What an observer throws is logged.
  [[nodiscard]] Observation observe(Observer observer);

 private:
  struct State;

  std::shared_ptr<State> state_;  // the thread's, too, which may be the one that ends the log
  std::jthread deliverer_;        // since the first observation
};

}  // namespace livetls
