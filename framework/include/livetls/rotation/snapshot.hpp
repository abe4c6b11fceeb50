#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "livetls/base/result.hpp"
#include "livetls/pki/server_name.hpp"
#include "livetls/rotation/cert_set.hpp"
#include "livetls/rotation/generations.hpp"
#include "livetls/tls/server_context.hpp"

namespace livetls {

/// A CertSet made ready to serve: every context built, every name in its one spelling. Immutable,
/// so any number of threads may read one.
class Snapshot {
 public:
  /// Contexts whose certificate and policy `previous` (may be nullptr) has already are taken over,
  /// so that an update costs what changed. Errors: invalid_server_name (also for a name given
  /// twice), certificate_unusable, no_default_certificate, no_client_roots,
  /// default_weaker_than_named; each names the identity.
  static Result<std::shared_ptr<const Snapshot>> build(
      const CertSet& set, std::uint64_t generation, const Snapshot* previous,
      std::shared_ptr<Generations> generations = nullptr,
      std::shared_ptr<const TicketKeys> ticket_keys = nullptr);

  /// An identity's contexts, in the order in which clients are offered them. Never empty.
  using Contexts = std::vector<std::shared_ptr<const ServerContext>>;

  struct Found {
    const Contexts* contexts;  ///< lives as long as the snapshot
    NameMatch match;
  };

  /// Exact name, else one-label wildcard, else the default (RFC 9525, section 6.3).
  Found find(const ServerName& name) const;
  Found find_default() const { return {default_.get(), NameMatch::none_asked}; }

  /// Every context once, with a name that it is found by ("default" for the default's).
  void for_each_context(
      const std::function<void(const std::string& name,
                               const std::shared_ptr<const ServerContext>& context)>& visit) const;

  const CertSet& set() const noexcept { return set_; }
  std::uint64_t generation() const noexcept { return generation_; }

  /// Who uses it.
  GenerationCounts& counts() const noexcept { return *counts_; }
  const std::shared_ptr<GenerationCounts>& shared_counts() const noexcept { return counts_; }

 private:
  using ContextsPtr = std::shared_ptr<const Contexts>;

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };

  Snapshot(CertSet set, std::uint64_t generation, std::shared_ptr<const TicketKeys> ticket_keys,
           std::function<void()> on_idle)
      : set_(std::move(set)),
        generation_(generation),
        ticket_keys_(std::move(ticket_keys)),
        counts_(std::make_shared<GenerationCounts>(std::move(on_idle))) {}

  Result<void> add_identities(const Snapshot* previous);
  void add_names_of_default();
  Result<ContextsPtr> contexts_for(const std::string& name, const Identity& identity,
                                   const Snapshot* previous);
  Result<std::shared_ptr<const ServerContext>> context_for(const Certificate& certificate,
                                                           const ServingPolicy& policy,
                                                           const Snapshot* previous);

  CertSet set_;
  std::uint64_t generation_;
  std::shared_ptr<const TicketKeys> ticket_keys_;
  std::shared_ptr<GenerationCounts> counts_;
  ContextsPtr default_;
  std::unordered_map<std::string, ContextsPtr, Hash, std::equal_to<>> by_name_;
  std::multimap<Fingerprint, std::shared_ptr<const ServerContext>> by_leaf_;
};

}  // namespace livetls
