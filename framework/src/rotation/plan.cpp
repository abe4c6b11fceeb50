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
  return manager_->commit(*this, options);
}

Result<Scheduled> Plan::schedule(const ScheduleOptions& options) {
  return manager_->schedule(*this, options);
}

std::optional<Error> Plan::error(std::uint64_t current_generation,
                                 std::optional<FindingKind> let_pass) const {
  for (const Finding& finding : findings_) {
    if (finding.blocks() && finding.kind != let_pass) {
      return Error{Errc::plan_refused, finding.message()};
    }
  }
  if (current_generation == base_generation_) return std::nullopt;
  return Error{Errc::plan_outdated, "staged on generation " + std::to_string(base_generation_) +
                                        ", now " + std::to_string(current_generation)};
}

std::set<std::string> Plan::identities_with(FindingKind kind) const {
  std::set<std::string> names;
  for (const Finding& finding : findings_) {
    if (finding.kind == kind) names.insert(finding.identity);
  }
  return names;
}

std::string Plan::overridden_refusals() const {
  std::string text;
  for (const Finding& finding : findings_) {
    if (!finding.overridden_because.empty()) text += "; " + finding.message();
  }
  return text;
}

}  // namespace livetls
