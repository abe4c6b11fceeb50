#pragma once

#include <memory>
#include <vector>

#include "livetls/rotation/plan.hpp"

namespace livetls {

/// Handshakes in memory with every context of `snapshot`. What fails is named.
std::vector<FailedProof> prove(const std::shared_ptr<const Snapshot>& snapshot);

}  // namespace livetls
