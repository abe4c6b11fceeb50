#pragma once

#include <vector>

#include "livetls/rotation/cert_set.hpp"
#include "livetls/rotation/finding.hpp"
#include "livetls/rotation/snapshot.hpp"

namespace livetls {

/// Puts the chains of `set` in order, and says where that was needed.
std::vector<Finding> repair_chains(CertSet& set, const StagingPolicy& policy);

/// What publishing `next` in the place of `base` would change, and what is wrong with it at `time`.
std::vector<Finding> examine(const Snapshot& base, const CertSet& next, const StagingPolicy& policy,
                             std::chrono::sys_seconds time);

}  // namespace livetls
