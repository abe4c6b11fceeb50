#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "livetls/rotation/snapshot.hpp"

namespace livetls {

/// Notices when the certificates that are served come near their expiry, each once for each
/// threshold, and when their OCSP staples have become stale. Not thread-safe.
class ExpiryWatch {
 public:
  explicit ExpiryWatch(std::vector<std::chrono::seconds> thresholds)
      : thresholds_(std::move(thresholds)) {}

  /// One line for each certificate that has come under a further threshold.
  std::vector<std::string> look(const Snapshot& snapshot, std::chrono::sys_seconds now);

  /// One line for each certificate whose staple has become stale.
  std::vector<std::string> look_at_staples(const Snapshot& snapshot, std::chrono::sys_seconds now);

 private:
  std::size_t thresholds_passed(std::chrono::seconds left) const;

  std::vector<std::chrono::seconds> thresholds_;
  std::map<Fingerprint, std::size_t> reported_;  // how many thresholds, of what is served
  std::set<Fingerprint> stale_;                  // staples, by their certificate
};

}  // namespace livetls
