#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "rotation/changes.hpp"

namespace livetls {

/// A plan that waits for its time.
struct ScheduledPlan {
  std::uint64_t id = 0;
  std::chrono::sys_seconds at;
  Changes changes;
  std::string overridden;         // refusals that do not count, for the log
  std::set<std::string> expired;  // identities that are to be published for all that
};

/// Plans that wait for their time, the next first. Not thread-safe.
class Schedule {
 public:
  std::uint64_t add(ScheduledPlan plan);
  bool cancel(std::uint64_t id);

  /// Hands over the next plan whose time has come.
  std::optional<ScheduledPlan> take_due(std::chrono::sys_seconds now);

  const std::vector<ScheduledPlan>& plans() const noexcept { return plans_; }

 private:
  std::vector<ScheduledPlan> plans_;
  std::uint64_t last_id_ = 0;
};

}  // namespace livetls
