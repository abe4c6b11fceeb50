#include "livetls/rotation/snapshot.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "rotation/context_cache.hpp"

namespace livetls {
namespace {

/// What identities are looked up by: for a wildcard that is what follows its "*", and begins with a
/// dot as no other name does.
std::string_view key_of(const NamePattern& pattern) {
  const std::string_view text = pattern.text();
  return pattern.is_wildcard() ? text.substr(1) : text;
}

/// What the default is called in errors, findings and events, and so nothing else may be.
const std::string kDefault = "default";

Result<NamePattern> parse_name(const std::string& name) {
  Result<NamePattern> pattern = NamePattern::parse(name);
  if (pattern && pattern->text() == kDefault) {
    return Error{Errc::invalid_server_name, "'default' is the default identity"};
  }
  return pattern;
}

}  // namespace

Snapshot::Snapshot(Shared shared, std::uint64_t generation)
    : shared_(std::move(shared)),
      generation_(generation),
      counts_(std::make_shared<GenerationCounts>([weak = std::weak_ptr(shared_.generations)] {
        if (const auto alive = weak.lock()) alive->check_waiters();
      })) {}

/// It counts as gone when it has been destroyed, and the keys with it.
std::shared_ptr<Snapshot> Snapshot::make(const Shared& shared, std::uint64_t generation) {
  const auto destroy = [](Snapshot* old) {
    const std::uint64_t number = old->generation_;
    const std::shared_ptr<GenerationCounts> counts = old->counts_;
    const std::shared_ptr<Generations> generations = old->shared_.generations;
    delete old;
    if (generations) generations->gone(number, *counts);
  };
  return {new Snapshot(shared, generation), destroy};
}

std::shared_ptr<Snapshot> Snapshot::derive(std::uint64_t generation) const {
  auto next = make(shared_, generation);
  next->terms_ = terms_;
  next->default_ = default_;
  next->names_of_default_ = names_of_default_;
  next->identities_ = identities_;
  return next;
}

Result<Snapshot::Ptr> Snapshot::build(const CertSet& set, std::uint64_t generation,
                                      const Snapshot* previous, const Shared& shared) {
  auto snapshot = make(shared, generation);
  snapshot->terms_ = std::make_shared<const ServingTerms>(
      ServingTerms{set.policy, set.client_roots, shared.ticket_keys, shared.revoked});
  if (auto done = snapshot->set_default(set.default_identity, previous); !done) {
    return done.error();
  }
  if (auto done = snapshot->set_identities(set, previous); !done) return done.error();
  return Ptr(std::move(snapshot));
}

Snapshot::Ptr Snapshot::again(std::uint64_t generation) const { return derive(generation); }

Result<Snapshot::Ptr> Snapshot::with(const std::string& name, Identity identity,
                                     std::uint64_t generation) const {
  const Result<NamePattern> pattern = parse_name(name);
  if (!pattern) return pattern.error();
  const ReadyIdentity* before = identities_.find(key_of(*pattern));
  auto next = derive(generation);
  if (before != nullptr) next->identities_.erase(key_of(*pattern));  // it leaves room for contexts
  auto made = next->ready(before == nullptr ? name : before->name(), identity, before,
                          {before, default_.get()});
  if (!made) return made.error();
  next->identities_.insert(key_of(*pattern), std::move(*made));
  return Ptr(std::move(next));
}

Result<Snapshot::Ptr> Snapshot::with_default(Identity identity, std::uint64_t generation) const {
  auto next = derive(generation);
  if (auto done = next->set_default(std::move(identity), this); !done) return done.error();
  if (is_as_strict_as(next->default_->identity().client_auth, default_->identity().client_auth)) {
    return Ptr(std::move(next));
  }
  Result<void> checked;
  identities_.for_each([&](const ReadyIdentity& named) {
    if (!checked) return;
    checked = next->check_default_is_as_strong_as(named.name(), named.identity().client_auth);
  });
  if (!checked) return checked.error();
  return Ptr(std::move(next));
}

Result<Snapshot::Ptr> Snapshot::without(const std::string& name, std::uint64_t generation) const {
  const Result<NamePattern> pattern = NamePattern::parse(name);
  if (!pattern) return pattern.error();
  auto next = derive(generation);
  if (!next->identities_.erase(key_of(*pattern))) return Error{Errc::unknown_identity, name};
  return Ptr(std::move(next));
}

Result<void> Snapshot::set_default(Identity identity, const Snapshot* previous) {
  default_ = nullptr;
  const ReadyIdentity* before = previous == nullptr ? nullptr : previous->default_.get();
  auto made = ready(kDefault, identity, before, {before});
  if (!made) return made.error();
  default_ = std::move(*made);
  auto names = std::make_shared<Names>();
  for (const Certificate& certificate : default_->identity().certificates) {
    for (const std::string& name : certificate.leaf().dns_names) {
      if (const Result<NamePattern> pattern = NamePattern::parse(name)) {
        names->emplace(key_of(*pattern));
      }
    }
  }
  names_of_default_ = std::move(names);
  return {};
}

Result<void> Snapshot::set_identities(const CertSet& set, const Snapshot* previous) {
  std::multimap<Fingerprint, const ReadyIdentity*> by_leaf;  // one context for many names
  for (const auto& [name, identity] : set.identities) {
    const Result<NamePattern> pattern = parse_name(name);
    if (!pattern) return pattern.error();
    const ReadyIdentity* before =
        previous == nullptr ? nullptr : previous->identities_.find(key_of(*pattern));
    std::vector<const ReadyIdentity*> donors = {before, default_.get()};
    for (const Certificate& certificate : identity.certificates) {
      const auto [first, last] = by_leaf.equal_range(certificate.leaf().fingerprint);
      std::transform(first, last, std::back_inserter(donors),
                     [](auto& leaf) { return leaf.second; });
    }
    auto made = ready(name, identity, before, donors);
    if (!made) return made.error();
    const ReadyIdentity* added = made->get();
    if (!identities_.insert(key_of(*pattern), std::move(*made))) {
      return Error{Errc::invalid_server_name, name + " is given twice, in two spellings"};
    }
    if (added->kept_contexts() == 0) continue;
    for (const Certificate& certificate : identity.certificates) {
      const auto& leaf = certificate.leaf().fingerprint;
      if (by_leaf.count(leaf) == 0) by_leaf.emplace(leaf, added);
    }
  }
  return {};
}

/// `before` is taken over where it serves the same; its counts go on in any case.
Result<Snapshot::IdentityPtr> Snapshot::ready(
    const std::string& name, const Identity& identity, const ReadyIdentity* before,
    const std::vector<const ReadyIdentity*>& donors) const {
  if (auto checked = check_not_revoked(name, identity); !checked) return checked.error();
  if (default_) {
    const auto checked = check_default_is_as_strong_as(name, identity.client_auth);
    if (!checked) return checked.error();
  }
  const bool keep = !default_ || identities_.kept_contexts() + identity.certificates.size() <=
                                     shared_.max_kept_contexts;
  if (before != nullptr && before->name() == name && before->serves(identity, *terms_) &&
      (keep || before->kept_contexts() == 0)) {
    return before->shared_from_this();
  }
  auto made = std::make_shared<ReadyIdentity>(
      name, identity, terms_,
      before == nullptr ? std::make_shared<IdentityCounts>() : before->shared_counts());
  auto prepared = made->prepare(donors, keep ? nullptr : shared_.on_demand);
  if (!prepared) return prepared.error();
  return IdentityPtr(std::move(made));
}

Result<void> Snapshot::check_not_revoked(const std::string& name, const Identity& identity) const {
  if (!terms_->revoked) return {};
  for (const Certificate& certificate : identity.certificates) {
    for (const RevokedKey& key : *terms_->revoked) {
      if (key.is_of(certificate)) {
        return Error{Errc::certificate_revoked, name + ": " + certificate.leaf().subject};
      }
    }
  }
  return {};
}

/// Whoever asks for no name, or an unknown one, gets the default: were it weaker, that would be the
/// way around a named identity's client authentication.
Result<void> Snapshot::check_default_is_as_strong_as(const std::string& name,
                                                     ClientAuth mode) const {
  if (is_as_strict_as(default_->identity().client_auth, mode)) return {};
  return Error{Errc::default_weaker_than_named, name + " (" + std::string(to_string(mode)) + ")"};
}

Snapshot::Found Snapshot::find_asked(std::string_view server_name) const {
  if (server_name.empty()) return find_default();
  const Result<ServerName> name = ServerName::parse(server_name);
  return name ? find(*name) : Found{default_.get(), NameMatch::unknown};
}

bool Snapshot::confirms(std::string_view server_name, const ServerContext& context) const {
  return find_asked(server_name).identity->serves(context);
}

Snapshot::Found Snapshot::find(const ServerName& name) const {
  const auto named = [this](std::string_view text) -> const ReadyIdentity* {
    if (const ReadyIdentity* identity = identities_.find(text)) return identity;
    return names_of_default_->contains(text) ? default_.get() : nullptr;
  };
  if (const ReadyIdentity* exact = named(name.text())) return {exact, NameMatch::exact};
  const std::size_t dot = name.text().find('.');
  if (!name.is_ip() && dot != std::string::npos) {
    const std::string_view parent = std::string_view(name.text()).substr(dot);
    if (const ReadyIdentity* found = named(parent)) return {found, NameMatch::wildcard};
  }
  return {default_.get(), NameMatch::unknown};
}

const ReadyIdentity* Snapshot::at(const std::string& name) const {
  if (name == kDefault) return default_.get();
  const Result<NamePattern> pattern = NamePattern::parse(name);
  return pattern ? identities_.find(key_of(*pattern)) : nullptr;
}

void Snapshot::for_each(const std::function<void(const ReadyIdentity&)>& visit) const {
  visit(*default_);
  identities_.for_each(visit);
}

CertSet Snapshot::set() const {
  CertSet set{.default_identity = default_->identity(),
              .client_roots = terms_->client_roots,
              .policy = terms_->tls};
  identities_.for_each(
      [&](const ReadyIdentity& named) { set.identities.emplace(named.name(), named.identity()); });
  return set;
}

}  // namespace livetls
