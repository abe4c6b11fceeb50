#include "livetls/rotation/snapshot.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace livetls {
namespace {

/// Clients are offered cheap signatures first.
int preference(KeyType type) {
  switch (type) {
    case KeyType::ecdsa_p256: return 0;
    case KeyType::ecdsa_p384: return 1;
    case KeyType::ecdsa_p521: return 2;
    case KeyType::ed25519: return 3;
    case KeyType::rsa: return 4;
  }
  return 5;
}

bool preferred(const Certificate& a, const Certificate& b) {
  return preference(a.leaf().key_type) < preference(b.leaf().key_type);
}

/// Whoever asks for no name, or an unknown one, gets the default: were it weaker, that would be the
/// way around a named identity's client authentication.
Result<void> check_default_is_not_weaker(const CertSet& set) {
  for (const auto& [name, identity] : set.identities) {
    if (set.default_identity.client_auth < identity.client_auth) {
      return Error{Errc::default_weaker_than_named,
                   name + " (" + std::string(to_string(identity.client_auth)) + ")"};
    }
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const Snapshot>> Snapshot::build(
    const CertSet& set, std::uint64_t generation, const Snapshot* previous,
    std::shared_ptr<Generations> generations, std::shared_ptr<const TicketKeys> ticket_keys) {
  if (const auto checked = check_default_is_not_weaker(set); !checked) return checked.error();
  const auto on_idle = [weak = std::weak_ptr(generations)] {
    if (const auto alive = weak.lock()) alive->check_waiters();
  };
  // It counts as gone when it has been destroyed, and the keys with it.
  const auto destroy = [generations](Snapshot* old) {
    const std::uint64_t number = old->generation();
    const std::shared_ptr<GenerationCounts> counts = old->counts_;
    delete old;
    if (generations) generations->gone(number, *counts);
  };
  std::shared_ptr<Snapshot> snapshot(new Snapshot(set, generation, std::move(ticket_keys), on_idle),
                                     destroy);
  Result<ContextsPtr> contexts = snapshot->contexts_for("default", set.default_identity, previous);
  if (!contexts) return contexts.error();
  snapshot->default_ = std::move(*contexts);
  if (Result<void> added = snapshot->add_identities(previous); !added) return added.error();
  snapshot->add_names_of_default();
  return std::shared_ptr<const Snapshot>(std::move(snapshot));
}

Result<void> Snapshot::add_identities(const Snapshot* previous) {
  for (const auto& [name, identity] : set_.identities) {
    const Result<NamePattern> pattern = NamePattern::parse(name);
    if (!pattern) return pattern.error();
    Result<ContextsPtr> contexts = contexts_for(name, identity, previous);
    if (!contexts) return contexts.error();
    if (!by_name_.emplace(pattern->text(), std::move(*contexts)).second) {
      return Error{Errc::invalid_server_name, name + " is given twice, in two spellings"};
    }
  }
  return {};
}

void Snapshot::add_names_of_default() {
  for (const Certificate& certificate : set_.default_identity.certificates) {
    for (const std::string& name : certificate.leaf().dns_names) {
      if (const Result<NamePattern> pattern = NamePattern::parse(name); pattern) {
        by_name_.emplace(pattern->text(), default_);
      }
    }
  }
}

Result<Snapshot::ContextsPtr> Snapshot::contexts_for(const std::string& name,
                                                     const Identity& identity,
                                                     const Snapshot* previous) {
  std::vector<Certificate> certificates = identity.certificates;
  if (certificates.empty()) return Error{Errc::no_default_certificate, name};
  std::ranges::stable_sort(certificates, preferred);

  ServingPolicy policy{.tls = set_.policy,
                       .client_auth = identity.client_auth,
                       .alpn = identity.alpn,
                       .ticket_keys = ticket_keys_};
  if (verifies(policy.client_auth)) policy.client_roots = set_.client_roots;
  auto contexts = std::make_shared<Contexts>();
  for (const Certificate& certificate : certificates) {
    auto context = context_for(certificate, policy, previous);
    if (!context) return Error{context.error().code, name + ": " + context.error().context};
    contexts->push_back(std::move(*context));
  }
  return ContextsPtr(std::move(contexts));
}

Result<std::shared_ptr<const ServerContext>> Snapshot::context_for(const Certificate& certificate,
                                                                   const ServingPolicy& policy,
                                                                   const Snapshot* previous) {
  const Fingerprint& leaf = certificate.leaf().fingerprint;
  for (const Snapshot* source : {static_cast<const Snapshot*>(this), previous}) {
    if (source == nullptr) continue;
    const auto [first, last] = source->by_leaf_.equal_range(leaf);
    const auto same = std::find_if(first, last, [&](const auto& entry) {
      return entry.second->certificate() == certificate && entry.second->policy() == policy;
    });
    if (same == last) continue;
    if (source != this) by_leaf_.emplace(leaf, same->second);
    return same->second;
  }
  auto context = ServerContext::build(certificate, policy);
  if (context) by_leaf_.emplace(leaf, *context);
  return context;
}

void Snapshot::for_each_context(
    const std::function<void(const std::string&, const std::shared_ptr<const ServerContext>&)>&
        visit) const {
  std::set<const ServerContext*> seen;
  const auto visit_new = [&](const std::string& name, const Contexts& contexts) {
    for (const auto& context : contexts) {
      if (seen.insert(context.get()).second) visit(name, context);
    }
  };
  visit_new("default", *default_);
  for (const auto& [name, contexts] : by_name_) visit_new(name, *contexts);
}

Snapshot::Found Snapshot::find(const ServerName& name) const {
  if (const auto exact = by_name_.find(name.text()); exact != by_name_.end()) {
    return {exact->second.get(), NameMatch::exact};
  }
  const std::size_t dot = name.text().find('.');
  if (!name.is_ip() && dot != std::string::npos) {
    const auto wildcard = by_name_.find("*" + name.text().substr(dot));
    if (wildcard != by_name_.end()) return {wildcard->second.get(), NameMatch::wildcard};
  }
  return {default_.get(), NameMatch::unknown};
}

}  // namespace livetls
