// The way out of a compromise: another key is served, tickets of the old one are dead, and the
// connections that it vouched for come to an end.

#include <algorithm>
#include <stdexcept>

#include "livetls/rotation/cert_manager.hpp"
#include "rotation/cert_manager_state.hpp"
#include "rotation/check_validity.hpp"

namespace livetls {
namespace {

Result<void> replace_key(const std::string& name, Identity& identity, const RevokedKey& key,
                         const std::optional<Certificate>& replacement) {
  auto& certificates = identity.certificates;
  const auto has_key = [&](const Certificate& certificate) { return key.is_of(certificate); };
  if (replacement) {
    std::ranges::replace_if(certificates, has_key, *replacement);
  } else {
    std::erase_if(certificates, has_key);
  }
  if (certificates.empty()) return Error{Errc::nothing_to_serve_instead, name};
  return {};
}

Result<void> replace_key(CertSet& set, const RevokedKey& key,
                         const std::optional<Certificate>& replacement) {
  if (auto done = replace_key("default", set.default_identity, key, replacement); !done) {
    return done;
  }
  for (auto& [name, identity] : set.identities) {
    if (auto done = replace_key(name, identity, key, replacement); !done) return done;
  }
  return {};
}

std::function<bool(const Served&)> concerned(DrainScope scope, const Certificate& compromised,
                                             std::uint64_t generation) {
  switch (scope) {
    case DrainScope::none: break;
    case DrainScope::all_older:
      return [generation](const Served& served) { return served.generation < generation; };
    case DrainScope::revoked_key:
      return [key = compromised.leaf().public_key_fingerprint](const Served& served) {
        return served.context->certificate().leaf().public_key_fingerprint == key;
      };
  }
  return nullptr;
}

}  // namespace

Result<Revocation> CertManager::revoke(const Certificate& compromised, RevokeOptions options) {
  if (options.deadline < options.spread) {
    throw std::invalid_argument("RevokeOptions.deadline must not be below its spread");
  }
  const RevokedKey key = RevokedKey::of(compromised);
  std::deque<SnapshotPtr> forgotten;
  std::unique_lock turn(state_->updates);
  const SnapshotPtr current = state_->current.load();
  CertSet set = current->set();
  if (auto done = replace_key(set, key, options.replacement); !done) return refused(done.error());
  if (options.replacement) {
    auto valid = check_validity("replacement", Identity(*options.replacement), now());
    if (!valid) return refused(valid.error());
  }
  Snapshot::Shared shared = state_->shared;
  auto revoked = std::make_shared<RevokedKeys>(state_->shared.revoked ? *state_->shared.revoked
                                                                      : RevokedKeys());
  if (std::ranges::find(*revoked, key) == revoked->end()) revoked->push_back(key);
  shared.revoked = std::move(revoked);
  const auto next = Snapshot::build(set, next_generation(), current.get(), shared);
  if (!next) return refused(next.error());

  state_->shared = std::move(shared);
  forgotten.swap(state_->history);
  const Receipt receipt = publish(*next);
  note(EventKind::revoked, receipt.generation, compromised.leaf().subject);
  turn.unlock();

  auto progress = std::make_shared<DrainProgress>();
  if (auto concerns = concerned(options.drain, compromised, receipt.generation)) {
    drain({std::move(concerns), options.spread, options.deadline, progress});
  }
  return Revocation(receipt, std::move(progress));
}

void CertManager::drain(const DrainOrder& order) {
  const std::scoped_lock lock(state_->holders_mutex);
  for (ConnectionHolder* holder : state_->holders) {
    order.progress->begin_looking();
    holder->drain(order);
  }
}

void CertManager::add(ConnectionHolder& holder) {
  const std::scoped_lock lock(state_->holders_mutex);
  state_->holders.insert(&holder);
}

void CertManager::remove(ConnectionHolder& holder) {
  const std::scoped_lock lock(state_->holders_mutex);
  state_->holders.erase(&holder);
}

}  // namespace livetls
