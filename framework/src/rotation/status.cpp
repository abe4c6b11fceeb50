#include "livetls/rotation/status.hpp"

#include <algorithm>

#include "livetls/rotation/cert_manager.hpp"
#include "rotation/schedule.hpp"

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
  status.generations = generations_->uses();
  status.events = events_->recent();
  const std::scoped_lock turn(updates_);
  const SnapshotPtr current = current_.load();
  status.generation = current->generation();
  status.published_at = published_at_;
  const std::chrono::sys_seconds time = now();
  current->for_each([&](const ReadyIdentity& identity) {
    status.identities.push_back(describe(identity, time));
  });
  std::sort(status.identities.begin() + 1, status.identities.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  status.history = history_.size();
  if (trial_) status.trial = Status::Trial{trial_->generation, trial_->until};
  for (const ScheduledPlan& plan : schedule_->plans()) {
    status.scheduled.push_back({plan.id, plan.at});
  }
  if (ticket_keys_) status.ticket_epoch_until = ticket_keys_->epoch_until();
  if (shared_.revoked) status.revoked_keys = shared_.revoked->size();
  return status;
}

}  // namespace livetls
