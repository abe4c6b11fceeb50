// What happens by itself, when it is due.

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "livetls/base/log.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "rotation/cert_manager_state.hpp"
#include "rotation/check_validity.hpp"

namespace livetls {

void CertManager::attend() {
  std::vector<std::string> troubles;  // whoever is told of them may ask the manager something
  {
    const std::scoped_lock turn(state_->updates);
    if (auto trouble = end_failed_trial()) troubles.push_back(std::move(*trouble));
    while (const auto due = state_->schedule.take_due(now())) {
      if (auto trouble = commit_scheduled(*due)) troubles.push_back(std::move(*trouble));
    }
  }
  for (const std::string& trouble : troubles) log(LogLevel::error, trouble);
  const std::scoped_lock lock(state_->watches);
  look_for_expiry();
  look_for_ticket_epoch();
}

/// A due time of the other clock, which may be set, is looked at once a minute at least.
std::chrono::steady_clock::time_point CertManager::next_look() const {
  constexpr auto kIdle = std::chrono::minutes(1);
  constexpr auto kOnTrial = std::chrono::milliseconds(100);
  const auto time = steady_now();
  auto next = time + kIdle;
  const std::scoped_lock turn(state_->updates);
  if (state_->trial) next = std::min({next, state_->trial->until, time + kOnTrial});
  if (!state_->schedule.plans().empty()) {
    const auto wait = state_->schedule.plans().front().at - std::chrono::system_clock::now();
    next = std::min(next, time + std::chrono::ceil<std::chrono::milliseconds>(wait));
  }
  return next;
}

std::optional<std::string> CertManager::end_failed_trial() {
  if (!state_->trial || !has_failed(*state_->trial)) return std::nullopt;
  const std::string number = std::to_string(state_->trial->generation);
  const bool in_time = steady_now() < state_->trial->until;
  state_->trial.reset();
  const Result<Receipt> back =
      roll_back(in_time ? "too many handshakes failed" : "it was not confirmed in time");
  return back ? "generation " + number + " was not confirmed: rolled back"
              : "generation " + number + " stays: " + back.error().message();
}

bool CertManager::has_failed(const Trial& trial) const {
  if (steady_now() >= trial.until) return true;
  const HandshakeTotals totals = state_->current.load()->counts().totals();
  const auto failed = static_cast<double>(totals.failed());
  const auto all = failed + static_cast<double>(totals.completed());
  return all >= static_cast<double>(trial.options.min_handshakes) &&
         failed > trial.options.max_failure_rate * all;
}

std::optional<std::string> CertManager::commit_scheduled(const ScheduledPlan& plan) {
  const std::string name = "scheduled number " + std::to_string(plan.id);
  const SnapshotPtr current = state_->current.load();
  const auto fail = [&](const Error& error) {
    note(EventKind::refused, current->generation(), name + ": " + error.message());
    return name + " was not committed: " + error.message();
  };
  const Result<CertSet> set = plan.changes.apply_to(current->set());
  if (!set) return fail(set.error());
  const auto next = Snapshot::build(*set, next_generation(), current.get(), state_->shared);
  if (!next) return fail(next.error());
  const auto valid = check_changes(*current, **next, plan.expired, now());
  if (!valid) return fail(valid.error());
  remember(current);
  const Receipt receipt = publish(*next);
  note(EventKind::committed, receipt.generation, name + plan.overridden);
  return std::nullopt;
}

void CertManager::look_for_expiry() {
  const SnapshotPtr current = state_->current.load();
  for (const std::string& line : state_->expiry_watch.look(*current, now())) {
    log(LogLevel::warning, line);
    note(EventKind::expiring, current->generation(), line);
  }
  for (const std::string& line : state_->expiry_watch.look_at_staples(*current, now())) {
    log(LogLevel::warning, "the OCSP staple is stale and is not sent any more: " + line);
    note(EventKind::staple_stale, current->generation(), line);
  }
}

void CertManager::look_for_ticket_epoch() {
  if (!state_->ticket_keys) return;
  const std::chrono::sys_seconds until = state_->ticket_keys->epoch_until();
  if (state_->ticket_epoch_until && until != *state_->ticket_epoch_until) {
    note(EventKind::ticket_epoch, state_->current.load()->generation(), {});
  }
  state_->ticket_epoch_until = until;
}

}  // namespace livetls
