#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "livetls/base/result.hpp"
#include "livetls/rotation/finding.hpp"
#include "livetls/rotation/receipt.hpp"
#include "livetls/rotation/snapshot.hpp"

namespace livetls {

class CertManager;

/// A handshake that the staged certificates did not pass.
struct FailedProof {
  std::string identity;
  std::string certificate;  ///< its subject and kind of key
  TlsVersion version;
  Error error;
};

/// How long a commit is on trial.
struct CommitOptions {
  /// Without CertManager::confirm within this time, it is rolled back. Zero: it stays.
  std::chrono::steady_clock::duration confirm_within = {};

  /// Until it is confirmed, it is rolled back as soon as more than this share of its handshakes has
  /// failed, of `min_handshakes` at least; looked at ten times a second. Range: 0 to 1, 1 for
  /// never. Clients that break off count as failed: leave room for them.
  double max_failure_rate = 1;
  std::uint64_t min_handshakes = 100;
};

/// When a plan goes live by itself.
struct ScheduleOptions {
  /// Not before this time.
  std::chrono::sys_seconds not_before = {};

  /// How long after all of its certificates have become valid: clients' clocks differ.
  std::chrono::seconds skew = std::chrono::minutes(1);
};

struct Scheduled {
  std::uint64_t id;  ///< for CertManager::cancel_scheduled
  std::chrono::sys_seconds at;
};

/// A CertSet that has been built and examined, but not published. Dropping it is all that aborting
/// takes.
///
/// Thread safety: none; the CertManager that it is committed to may be used meanwhile.
class Plan {
 public:
  /// What would be published; chains are in order. Costs a copy of all identities.
  CertSet set() const { return snapshot_->set(); }

  /// The generation that it was compared with, and must still be current at the commit.
  std::uint64_t base_generation() const noexcept { return base_generation_; }

  const std::vector<Finding>& findings() const noexcept { return findings_; }

  /// Lets a kind of refusal pass, by its name ("name_lost"); the reason is kept in the findings.
  /// Errors: no_such_finding where there is no refusal of this name, or no reason.
  Result<void> override_refusal(std::string_view kind, std::string reason);

  /// In-memory handshakes with what is staged: each certificate under one of its names, in each
  /// TLS version that the policy allows. Empty says that all passed. About a millisecond each.
  std::vector<FailedProof> prove() const;

  /// Publishes it, once. Errors: plan_refused (a refusal that is not overridden), plan_outdated
  /// (something else was published since it was staged: stage it again), certificate_expired (since
  /// then, too).
  /// Throws std::invalid_argument for a trial where the manager keeps no history to go back to.
  Result<Receipt> commit(const CommitOptions& options);
  Result<Receipt> commit() { return commit({}); }

  /// Has it published as soon as all of its certificates are valid (the finding not_yet_valid does
  /// not count here) and `options` allow it; the manager's events tell. What is published meanwhile
  /// stays: only the plan's own changes are carried over, and where the same was changed in both,
  /// the plan is refused then. Errors: plan_refused, plan_outdated.
  Result<Scheduled> schedule(const ScheduleOptions& options);
  Result<Scheduled> schedule() { return schedule({}); }

 private:
  friend class CertManager;
  Plan(std::shared_ptr<CertManager> manager, std::uint64_t base_generation,
       std::shared_ptr<const Snapshot> snapshot, std::vector<Finding> findings)
      : manager_(std::move(manager)),
        base_generation_(base_generation),
        snapshot_(std::move(snapshot)),
        findings_(std::move(findings)) {}

  /// Why it may not be published on the generation that is current.
  std::optional<Error> error(std::uint64_t current_generation,
                             std::optional<FindingKind> let_pass = {}) const;
  std::set<std::string> identities_with(FindingKind kind) const;
  std::string overridden_refusals() const;

  std::shared_ptr<CertManager> manager_;
  std::uint64_t base_generation_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::vector<Finding> findings_;
};

}  // namespace livetls
