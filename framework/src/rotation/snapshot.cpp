#include "livetls/rotation/snapshot.hpp"

#include <utility>

namespace livetls {

Result<std::shared_ptr<const Snapshot>> Snapshot::build(const CertSet& set,
                                                        std::uint64_t generation,
                                                        const Snapshot* previous) {
  std::shared_ptr<Snapshot> snapshot(new Snapshot(set, generation));
  Result<ContextPtr> context = snapshot->context_for(set.default_identity.certificate, previous);
  if (!context) return Error{context.error().code, "default: " + context.error().context};
  snapshot->default_context_ = std::move(*context);
  if (Result<void> added = snapshot->add_identities(previous); !added) return added.error();
  snapshot->add_names_of_default();
  return std::shared_ptr<const Snapshot>(std::move(snapshot));
}

Result<void> Snapshot::add_identities(const Snapshot* previous) {
  for (const auto& [name, identity] : set_.identities) {
    const Result<NamePattern> pattern = NamePattern::parse(name);
    if (!pattern) return pattern.error();
    Result<ContextPtr> context = context_for(identity.certificate, previous);
    if (!context) return Error{context.error().code, name + ": " + context.error().context};
    if (!by_name_.emplace(pattern->text(), std::move(*context)).second) {
      return Error{Errc::invalid_server_name, name + " is given twice, in two spellings"};
    }
  }
  return {};
}

void Snapshot::add_names_of_default() {
  for (const std::string& name : set_.default_identity.certificate.leaf().dns_names) {
    if (const Result<NamePattern> pattern = NamePattern::parse(name); pattern) {
      by_name_.emplace(pattern->text(), default_context_);
    }
  }
}

Result<Snapshot::ContextPtr> Snapshot::context_for(const Certificate& certificate,
                                                   const Snapshot* previous) {
  const Fingerprint& leaf = certificate.leaf().fingerprint;
  for (const Snapshot* source : {static_cast<const Snapshot*>(this), previous}) {
    if (source == nullptr || source->set_.policy != set_.policy) continue;
    const auto found = source->by_leaf_.find(leaf);
    if (found == source->by_leaf_.end() || found->second->certificate() != certificate) continue;
    by_leaf_.emplace(leaf, found->second);
    return found->second;
  }
  Result<ContextPtr> context = ServerContext::build(certificate, set_.policy);
  if (context) by_leaf_.insert_or_assign(leaf, *context);
  return context;
}

Snapshot::Choice Snapshot::select(const ServerName& name) const {
  if (const auto exact = by_name_.find(name.text()); exact != by_name_.end()) {
    return {exact->second.get(), NameMatch::exact};
  }
  const std::size_t dot = name.text().find('.');
  if (!name.is_ip() && dot != std::string::npos) {
    const auto wildcard = by_name_.find("*" + name.text().substr(dot));
    if (wildcard != by_name_.end()) return {wildcard->second.get(), NameMatch::wildcard};
  }
  return {default_context_.get(), NameMatch::unknown};
}

}  // namespace livetls
