#include "livetls/rotation/status.hpp"

#include <algorithm>

#include "livetls/rotation/cert_manager.hpp"
#include "rotation/cert_manager_state.hpp"

namespace livetls {
namespace {

Status::ServedIdentity describe(const ReadyIdentity& identity, std::chrono::sys_seconds now) {
  Status::ServedIdentity served{.name = identity.name(),
                                .client_auth = identity.identity().client_auth,
                                .certificates = {},
                                .handshakes = identity.shared_counts()->totals()};
  for (std::size_t i = 0; i < identity.size(); ++i) {
    const Certificate& certificate = identity.certificate(i);
    const CertificateInfo& leaf = certificate.leaf();
    const auto days_left = std::chrono::floor<std::chrono::days>(leaf.not_after - now).count();
    served.certificates.push_back({leaf, days_left, std::nullopt});
    if (const auto& staple = certificate.staple()) {
      served.certificates.back().staple_until = staple->next_update();
    }
  }
  return served;
}

}  // namespace

Status CertManager::status() const {
  Status status;
  status.generations = state_->generations->uses();
  status.events = state_->events->recent();
  const std::scoped_lock turn(state_->updates);
  const SnapshotPtr current = state_->current.load();
  status.generation = current->generation();
  status.published_at = state_->published_at;
  const std::chrono::sys_seconds time = now();
  current->for_each([&](const ReadyIdentity& identity) {
    status.identities.push_back(describe(identity, time));
  });
  std::sort(status.identities.begin() + 1, status.identities.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  status.history = state_->history.size();
  if (state_->trial) status.trial = Status::Trial{state_->trial->generation, state_->trial->until};
  for (const ScheduledPlan& plan : state_->schedule.plans()) {
    status.scheduled.push_back({plan.id, plan.at});
  }
  if (state_->ticket_keys) status.ticket_epoch_until = state_->ticket_keys->epoch_until();
  if (state_->shared.revoked) status.revoked_keys = state_->shared.revoked->size();
  return status;
}

}  // namespace livetls
