#include "livetls/rotation/ready_identity.hpp"

#include <algorithm>
#include <utility>

#include "rotation/context_cache.hpp"

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

std::vector<Certificate> in_order_of_offer(std::vector<Certificate> certificates) {
  std::ranges::stable_sort(certificates, {}, [](const Certificate& certificate) {
    return preference(certificate.leaf().key_type);
  });
  return certificates;
}

}  // namespace

ServingPolicy ServingTerms::policy(const Identity& identity, const Certificate& certificate) const {
  ServingPolicy policy{.tls = tls,
                       .client_auth = identity.client_auth,
                       .alpn = identity.alpn,
                       .ticket_keys = ticket_keys};
  if (verifies(identity.client_auth)) policy.client_roots = client_roots;
  if (!revoked) return policy;
  for (const RevokedKey& key : *revoked) {
    if (key.shares_a_name_with(certificate.leaf())) policy.revoked_keys.push_back(key.key);
  }
  return policy;
}

HandshakeCounts& IdentityCounts::counts() {
  if (HandshakeCounts* there = counts_.load(std::memory_order_acquire)) return *there;
  auto made = std::make_unique<HandshakeCounts>();
  HandshakeCounts* none = nullptr;
  if (!counts_.compare_exchange_strong(none, made.get(), std::memory_order_acq_rel)) return *none;
  return *made.release();
}

HandshakeTotals IdentityCounts::totals() const noexcept {
  const HandshakeCounts* there = counts_.load(std::memory_order_acquire);
  return there == nullptr ? HandshakeTotals{} : there->totals();
}

ReadyIdentity::ReadyIdentity(std::string name, Identity identity,
                             std::shared_ptr<const ServingTerms> terms,
                             std::shared_ptr<IdentityCounts> counts)
    : name_(std::move(name)),
      identity_(std::move(identity)),
      offered_(in_order_of_offer(identity_.certificates)),
      terms_(std::move(terms)),
      counts_(std::move(counts)) {}

ReadyIdentity::~ReadyIdentity() {
  if (on_demand_) on_demand_->forget(this, offered_.size());
}

Result<void> ReadyIdentity::prepare(const std::vector<const ReadyIdentity*>& donors,
                                    std::shared_ptr<ContextCache> on_demand) {
  if (offered_.empty()) return Error{Errc::identity_without_certificate, name_};
  std::vector<ContextPtr> contexts;
  for (std::size_t i = 0; i < offered_.size(); ++i) {
    const ServingPolicy wanted = policy(i);
    ContextPtr context;
    for (const ReadyIdentity* donor : donors) {
      if (donor != nullptr && !context) context = donor->kept_for(offered_[i], wanted);
    }
    if (!context) {
      auto built = ServerContext::build(offered_[i], wanted);
      if (!built) return Error{built.error().code, name_ + ": " + built.error().context};
      context = std::move(*built);
    }
    contexts.push_back(std::move(context));
  }
  on_demand_ = std::move(on_demand);
  if (!on_demand_) kept_ = std::move(contexts);
  return {};
}

bool ReadyIdentity::serves(const Identity& identity, const ServingTerms& terms) const {
  if (identity != identity_) return false;
  return std::ranges::all_of(offered_, [&](const Certificate& certificate) {
    return terms.policy(identity, certificate) == terms_->policy(identity_, certificate);
  });
}

bool ReadyIdentity::serves(const ServerContext& context) const {
  if (!on_demand_) return std::ranges::find(kept_, &context, &ContextPtr::get) != kept_.end();
  for (std::size_t i = 0; i < offered_.size(); ++i) {
    if (offered_[i] == context.certificate() && policy(i) == context.policy()) return true;
  }
  return false;
}

ServingPolicy ReadyIdentity::policy(std::size_t index) const {
  return terms_->policy(identity_, offered_[index]);
}

ReadyIdentity::ContextPtr ReadyIdentity::kept_for(const Certificate& certificate,
                                                  const ServingPolicy& policy) const {
  const auto same = std::ranges::find_if(kept_, [&](const ContextPtr& context) {
    return context->certificate() == certificate && context->policy() == policy;
  });
  return same == kept_.end() ? nullptr : *same;
}

std::optional<std::size_t> ReadyIdentity::choose(const ClientHello& hello) const noexcept {
  std::optional<std::size_t> second_best;
  for (std::size_t i = 0; i < offered_.size(); ++i) {
    if (!is_usable_by(hello, offered_[i].leaf().key_type, terms_->tls)) continue;
    if (accepts_chain(hello, offered_[i])) return i;
    if (!second_best) second_best = i;
  }
  return second_best;
}

Result<ReadyIdentity::ContextPtr> ReadyIdentity::context(std::size_t index) const {
  if (!on_demand_) return kept_[index];
  const ContextCache::Key key(this, index);
  if (ContextPtr there = on_demand_->find(key)) return there;
  auto built = ServerContext::build(offered_[index], policy(index));
  if (built) on_demand_->put(key, *built);
  return built;
}

}  // namespace livetls
