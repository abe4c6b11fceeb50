#pragma once

#include <chrono>
#include <set>
#include <string>

#include "livetls/base/result.hpp"
#include "livetls/rotation/cert_set.hpp"
#include "livetls/rotation/snapshot.hpp"

namespace livetls {

/// Errors: certificate_expired, certificate_not_yet_valid; the context names the identity.
Result<void> check_validity(const std::string& name, const Identity& identity,
                            std::chrono::sys_seconds time);
Result<void> check_validity(const CertSet& set, std::chrono::sys_seconds time);

/// Of what `next` would bring in: a certificate that `current` serves under the same name already
/// is nobody's business here. Nor are the identities named in `judged`.
Result<void> check_changes(const Snapshot& current, const Snapshot& next,
                           const std::set<std::string>& judged, std::chrono::sys_seconds time);

}  // namespace livetls
