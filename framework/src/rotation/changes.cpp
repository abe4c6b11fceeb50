#include "rotation/changes.hpp"

#include <utility>

namespace livetls {
namespace {

Error both_changed(const std::string& what) {
  return {Errc::plan_outdated, what + " has been changed by another update"};
}

const Identity* find(const std::map<std::string, Identity>& identities, const std::string& name) {
  const auto found = identities.find(name);
  return found == identities.end() ? nullptr : &found->second;
}

template <class Change, class T>
Result<void> replace(const std::optional<Change>& change, T& current, const std::string& what) {
  if (!change || current == change->after) return {};
  if (current != change->before) return both_changed(what);
  current = change->after;
  return {};
}

}  // namespace

Changes::Mark Changes::Mark::of(const Identity& identity) {
  Mark mark{{}, identity.client_auth, identity.alpn};
  for (const Certificate& certificate : identity.certificates) {
    mark.leaves.push_back(certificate.leaf().fingerprint);
  }
  return mark;
}

Changes::Changes(const CertSet& base, const CertSet& next) {
  if (next.default_identity != base.default_identity) {
    default_identity_ = {Mark::of(base.default_identity), next.default_identity};
  }
  for (const auto& [name, identity] : next.identities) {
    const Identity* before = find(base.identities, name);
    if (before != nullptr && *before == identity) continue;
    std::optional<Mark> mark;
    if (before != nullptr) mark = Mark::of(*before);
    identities_.emplace(name, NamedChange{std::move(mark), identity});
  }
  for (const auto& [name, identity] : base.identities) {
    if (find(next.identities, name) == nullptr) {
      identities_.emplace(name, NamedChange{Mark::of(identity), std::nullopt});
    }
  }
  if (next.client_roots != base.client_roots)
    client_roots_ = {base.client_roots, next.client_roots};
  if (next.policy != base.policy) policy_ = {base.policy, next.policy};
}

Result<CertSet> Changes::apply_to(CertSet current) const {
  if (default_identity_ && current.default_identity != *default_identity_->after) {
    if (Mark::of(current.default_identity) != *default_identity_->before) {
      return both_changed("the default identity");
    }
    current.default_identity = *default_identity_->after;
  }
  for (const auto& [name, change] : identities_) {
    if (auto done = apply_to_name(name, change, current.identities); !done) return done.error();
  }
  if (auto done = replace(client_roots_, current.client_roots, "the trust bundle"); !done) {
    return done.error();
  }
  if (auto done = replace(policy_, current.policy, "the TLS policy"); !done) return done.error();
  return current;
}

Result<void> Changes::apply_to_name(const std::string& name, const NamedChange& change,
                                    std::map<std::string, Identity>& current) const {
  const Identity* there = find(current, name);
  std::optional<Mark> mark;
  if (there != nullptr) mark = Mark::of(*there);
  if (mark != change.before) {
    const bool same_already = change.after ? there != nullptr && *there == *change.after : !there;
    return same_already ? Result<void>() : both_changed(name);
  }
  if (change.after) {
    current.insert_or_assign(name, *change.after);
  } else {
    current.erase(name);
  }
  return {};
}

}  // namespace livetls
