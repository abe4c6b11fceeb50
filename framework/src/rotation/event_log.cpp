#include "livetls/rotation/event_log.hpp"

#include <exception>
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

void EventLog::add(Event event) {
  const std::scoped_lock lock(mutex_);
  if (!observers_.empty()) {
    undelivered_.push_back(event);
    if (undelivered_.size() > kMaxBehind) undelivered_.pop_front();
    arrived_.notify_one();
  }
  recent_.push_back(std::move(event));
  if (recent_.size() > limit_) recent_.pop_front();
}

std::vector<Event> EventLog::recent() const {
  const std::scoped_lock lock(mutex_);
  return {recent_.begin(), recent_.end()};
}

EventLog::Observation EventLog::observe(Observer observer) {
  auto entry = std::make_shared<Observation::Entry>();
  entry->observer = std::move(observer);
  const std::scoped_lock lock(mutex_);
  observers_.push_back(entry);
  if (!deliverer_.joinable()) {
    deliverer_ = std::jthread([this](const std::stop_token& stop) { deliver(stop); });
  }
  return Observation(std::move(entry));
}

void EventLog::deliver(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (arrived_.wait(lock, stop, [this] { return !undelivered_.empty(); })) {
    const Event event = std::move(undelivered_.front());
    undelivered_.pop_front();
    std::erase_if(observers_, [](const auto& entry) { return entry.use_count() == 1; });
    const auto observers = observers_;
    lock.unlock();
    for (const auto& entry : observers) entry->call(event);
    lock.lock();
  }
}

}  // namespace livetls
