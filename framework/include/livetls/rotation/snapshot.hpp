#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "livetls/base/result.hpp"
#include "livetls/pki/server_name.hpp"
#include "livetls/rotation/cert_set.hpp"
#include "livetls/rotation/generations.hpp"
#include "livetls/rotation/identity_map.hpp"
#include "livetls/rotation/ready_identity.hpp"
#include "livetls/tls/server_context.hpp"

namespace livetls {

class ContextCache;

/// A CertSet made ready to serve: every context built, every name in its one spelling. Immutable,
/// so any number of threads may read one.
class Snapshot : public Selection {
 public:
  /// What snapshots of one manager have in common; all of it may be left out.
  struct Shared {
    std::shared_ptr<Generations> generations = {};
    std::shared_ptr<const TicketKeys> ticket_keys = {};
    std::shared_ptr<const RevokedKeys> revoked = {};

    /// Of named identities beyond so many contexts, those in use last are kept in `on_demand`.
    std::size_t max_kept_contexts = static_cast<std::size_t>(-1);
    std::shared_ptr<ContextCache> on_demand = {};
  };

  using Ptr = std::shared_ptr<const Snapshot>;

  /// Identities and contexts that `previous` (may be nullptr) has already are taken over, so that
  /// an update costs what changed. Errors: invalid_server_name (also for a name given twice),
  /// certificate_unusable, identity_without_certificate, no_client_roots,
  /// default_weaker_than_named, certificate_revoked; each names the identity.
  static Result<Ptr> build(const CertSet& set, std::uint64_t generation, const Snapshot* previous,
                           const Shared& shared);
  static Result<Ptr> build(const CertSet& set, std::uint64_t generation, const Snapshot* previous) {
    return build(set, generation, previous, Shared{});
  }

  /// The same under another number, and with one identity changed. Errors: as for build.
  Ptr again(std::uint64_t generation) const;
  Result<Ptr> with(const std::string& name, Identity identity, std::uint64_t generation) const;
  Result<Ptr> with_default(Identity identity, std::uint64_t generation) const;

  /// Errors: invalid_server_name, unknown_identity.
  Result<Ptr> without(const std::string& name, std::uint64_t generation) const;

  struct Found {
    const ReadyIdentity* identity;  ///< lives as long as the snapshot
    NameMatch match;
  };

  /// Exact name, else one-label wildcard, else the default (RFC 9525, section 6.3).
  Found find(const ServerName& name) const;
  Found find_default() const { return {default_.get(), NameMatch::none_asked}; }

  /// The same for what a ClientHello asks for: the default for nothing, and for what is no name.
  Found find_asked(std::string_view server_name) const;

  bool confirms(std::string_view server_name, const ServerContext& context) const override;

  /// The identity that was given under just this name, in any spelling, or as "default"; nullptr
  /// where there is none.
  const ReadyIdentity* at(const std::string& name) const;

  /// Every identity once, the default first, the others in no particular order.
  void for_each(const std::function<void(const ReadyIdentity&)>& visit) const;

  /// Named ones.
  std::size_t size() const noexcept { return identities_.size(); }

  /// What it was made of. Costs a copy of all identities.
  CertSet set() const;

  std::uint64_t generation() const noexcept { return generation_; }

  /// Who uses it.
  GenerationCounts& counts() const noexcept { return *counts_; }
  const std::shared_ptr<GenerationCounts>& shared_counts() const noexcept { return counts_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  using Names = std::unordered_set<std::string, Hash, std::equal_to<>>;
  using IdentityPtr = IdentityMap::Ptr;

  Snapshot(Shared shared, std::uint64_t generation);
  static std::shared_ptr<Snapshot> make(const Shared& shared, std::uint64_t generation);
  std::shared_ptr<Snapshot> derive(std::uint64_t generation) const;

  Result<void> set_default(Identity identity, const Snapshot* previous);
  Result<void> set_identities(const CertSet& set, const Snapshot* previous);
  Result<IdentityPtr> ready(const std::string& name, const Identity& identity,
                            const ReadyIdentity* before,
                            const std::vector<const ReadyIdentity*>& donors) const;
  Result<void> check_not_revoked(const std::string& name, const Identity& identity) const;
  Result<void> check_default_is_as_strong_as(const std::string& name, ClientAuth mode) const;

  Shared shared_;
  std::uint64_t generation_;
  std::shared_ptr<const ServingTerms> terms_;
  std::shared_ptr<GenerationCounts> counts_;
  IdentityPtr default_;
  std::shared_ptr<const Names> names_of_default_;
  IdentityMap identities_;
};

}  // namespace livetls
