#include "net/drains.hpp"

#include <algorithm>

namespace livetls {
namespace {

/// How many times notices are given in the time that they are spread over.
constexpr int kSteps = 100;

constexpr auto kShortestStep = std::chrono::milliseconds(1);

}  // namespace

bool Drains::Drain::concerns(const Connection& connection) const {
  const Served* served = connection.served();
  return served != nullptr && order.concerns(*served);
}

/// How many connections should have been told by `now`.
std::uint64_t Drains::Drain::due(Clock::time_point now) const {
  if (now >= begun + order.spread) return found;
  const double share =
      std::chrono::duration<double>(now - begun) / std::chrono::duration<double>(order.spread);
  return static_cast<std::uint64_t>(share * static_cast<double>(found));
}

void Drains::begin(const DrainOrder& order) {
  Drain drain{.order = order, .begun = Clock::now(), .found = 0, .open = 0};
  drain.found = static_cast<std::uint64_t>(std::ranges::count_if(
      connections_, [&](const Connection& connection) { return drain.concerns(connection); }));
  drain.open = drain.found;
  order.progress->found(drain.found);
  order.progress->end_looking();
  if (drain.found == 0) return;
  drains_.push_back(std::move(drain));
  tick();
}

void Drains::stop() {
  stopped_ = true;
  timer_.cancel();
}

void Drains::tick() {
  if (stopped_) return;
  const Clock::time_point now = Clock::now();
  auto next = Clock::time_point::max();
  for (auto drain = drains_.begin(); drain != drains_.end();) {
    const auto end = drain->begun + drain->order.deadline;
    const std::uint64_t due = drain->due(now);
    if (due > drain->told) tell(*drain, due - drain->told);
    if (now >= end) {
      cut(*drain);
      drain = drains_.erase(drain);
      continue;
    }
    const bool all_told = drain->told >= drain->found;
    const auto step = std::max<Clock::duration>(drain->order.spread / kSteps, kShortestStep);
    next = std::min(next, all_told ? end : now + step);
    ++drain;
  }
  if (drains_.empty()) return;
  timer_.expires_at(next);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) tick();
  });
}

void Drains::tell(Drain& drain, std::uint64_t count) {
  for (Connection& connection : connections_) {
    if (connection.stopping() || !drain.concerns(connection)) continue;
    connection.begin_stop();
    ++drain.told;
    if (--count == 0) return;
  }
  drain.told = drain.found;  // the others have ended, or were told by somebody else
}

void Drains::cut(Drain& drain) {
  for (Connection& connection : connections_) {
    if (!drain.concerns(connection)) continue;
    connection.cut();
    if (drain.open == 0) continue;
    --drain.open;
    drain.order.progress->cut();
  }
}

void Drains::ended(const Connection& connection) {
  for (auto drain = drains_.begin(); drain != drains_.end();) {
    if (drain->open > 0 && drain->concerns(connection)) {
      --drain->open;
      drain->order.progress->ended();
    }
    drain = drain->open == 0 ? drains_.erase(drain) : std::next(drain);
  }
  if (drains_.empty()) timer_.cancel();
}

}  // namespace livetls
