#include "livetls/rotation/event_log.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <utility>

#include "livetls/base/log.hpp"

namespace livetls {

std::string_view to_string(EventKind kind) noexcept {
  switch (kind) {
    case EventKind::staged: return "staged";
    case EventKind::refused: return "refused";
    case EventKind::committed: return "committed";
    case EventKind::confirmed: return "confirmed";
    case EventKind::rolled_back: return "rolled_back";
    case EventKind::scheduled: return "scheduled";
    case EventKind::revoked: return "revoked";
    case EventKind::quiesced: return "quiesced";
    case EventKind::drained: return "drained";
    case EventKind::erased: return "erased";
    case EventKind::expiring: return "expiring";
    case EventKind::staple_stale: return "staple_stale";
    case EventKind::ticket_epoch: return "ticket_epoch";
  }
  return "";
}

std::string Event::message() const {
  std::string text(to_string(kind));
  text += ": generation " + std::to_string(generation);
  if (!detail.empty()) text += ": " + detail;
  return text;
}

struct EventLog::Observation::Entry {
  std::recursive_mutex calling;  // an observer may end its own observation
  Observer observer;

  void call(const Event& event) {
    const std::scoped_lock lock(calling);
    if (!observer) return;
    const Observer kept = observer;  // alive also when it ends itself
    try {
      kept(event);
    } catch (const std::exception& error) {
      log(LogLevel::error, std::string("an observer of events failed: ") + error.what());
    } catch (...) {
      log(LogLevel::error, "an observer of events failed");
    }
  }

  void end() {
    const std::scoped_lock lock(calling);
    observer = nullptr;
  }
};

EventLog::Observation& EventLog::Observation::operator=(Observation&& other) noexcept {
  std::swap(entry_, other.entry_);
  return *this;
}

EventLog::Observation::~Observation() {
  if (entry_) entry_->end();
}

struct EventLog::State {
  explicit State(std::size_t most) : limit(most) {}

  void deliver(const std::stop_token& stop) {
    std::unique_lock lock(mutex);
    while (arrived.wait(lock, stop, [this] { return !undelivered.empty(); })) {
      const Event event = std::move(undelivered.front());
      undelivered.pop_front();
      std::erase_if(observers, [](const auto& entry) { return entry.use_count() == 1; });
      const auto observing = observers;
      lock.unlock();
      for (const auto& entry : observing) entry->call(event);
      lock.lock();
    }
  }

  const std::size_t limit;
  std::mutex mutex;
  std::deque<Event> recent;
  std::deque<Event> undelivered;
  std::vector<std::shared_ptr<Observation::Entry>> observers;
  std::condition_variable_any arrived;
};

EventLog::EventLog(std::size_t limit) : state_(std::make_shared<State>(limit)) {}

EventLog::~EventLog() {
  deliverer_.request_stop();
  if (deliverer_.get_id() == std::this_thread::get_id()) deliverer_.detach();
}

void EventLog::add(Event event) {
  State& state = *state_;
  const std::scoped_lock lock(state.mutex);
  if (!state.observers.empty()) {
    state.undelivered.push_back(event);
    if (state.undelivered.size() > kMaxBehind) state.undelivered.pop_front();
    state.arrived.notify_one();
  }
  state.recent.push_back(std::move(event));
  if (state.recent.size() > state.limit) state.recent.pop_front();
}

std::vector<Event> EventLog::recent() const {
  const std::scoped_lock lock(state_->mutex);
  return {state_->recent.begin(), state_->recent.end()};
}

EventLog::Observation EventLog::observe(Observer observer) {
  auto entry = std::make_shared<Observation::Entry>();
  entry->observer = std::move(observer);
  const std::scoped_lock lock(state_->mutex);
  state_->observers.push_back(entry);
  if (!deliverer_.joinable()) {
    deliverer_ =
        std::jthread([state = state_](const std::stop_token& stop) { state->deliver(stop); });
  }
  return Observation(std::move(entry));
}

}  // namespace livetls
