#include "rotation/schedule.hpp"

#include <algorithm>
#include <utility>

namespace livetls {

std::uint64_t Schedule::add(ScheduledPlan plan) {
  plan.id = ++last_id_;
  const auto later = std::ranges::upper_bound(plans_, plan.at, {}, &ScheduledPlan::at);
  plans_.insert(later, std::move(plan));
  return last_id_;
}

bool Schedule::cancel(std::uint64_t id) {
  return std::erase_if(plans_, [id](const ScheduledPlan& plan) { return plan.id == id; }) > 0;
}

std::optional<ScheduledPlan> Schedule::take_due(std::chrono::sys_seconds now) {
  if (plans_.empty() || now < plans_.front().at) return std::nullopt;
  ScheduledPlan due = std::move(plans_.front());
  plans_.erase(plans_.begin());
  return due;
}

}  // namespace livetls
