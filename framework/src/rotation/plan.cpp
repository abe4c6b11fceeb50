#include "livetls/rotation/plan.hpp"

#include <algorithm>

#include "livetls/rotation/cert_manager.hpp"
#include "rotation/prove.hpp"

namespace livetls {

Result<void> Plan::override_refusal(std::string_view kind, std::string reason) {
  const auto named = parse_finding_kind(kind);
  bool found = false;
  for (Finding& finding : findings_) {
    if (reason.empty() || finding.kind != named || finding.severity != Severity::refusal) continue;
    finding.overridden_because = reason;
    found = true;
  }
  if (!found) return Error{Errc::no_such_finding, std::string(kind)};
  return {};
}

std::vector<FailedProof> Plan::prove() const { return livetls::prove(snapshot_); }

Result<Receipt> Plan::commit(const CommitOptions& options) {
  const auto blocking = std::ranges::find_if(findings_, &Finding::blocks);
  if (blocking != findings_.end()) return Error{Errc::plan_refused, blocking->message()};
  return manager_->commit(*this, options);
}

}  // namespace livetls
