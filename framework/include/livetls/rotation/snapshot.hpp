#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "livetls/base/result.hpp"
#include "livetls/pki/server_name.hpp"
#include "livetls/rotation/cert_set.hpp"
#include "livetls/tls/server_context.hpp"

namespace livetls {

/// A CertSet made ready to serve: every context built, every name in its one spelling. Immutable,
/// so any number of threads may read one.
class Snapshot {
 public:
  /// Contexts whose certificate and policy `previous` (may be nullptr) has already are taken over,
  /// so that an update costs what changed. Errors: invalid_server_name (also for a name given
  /// twice), certificate_unusable; each names the identity.
  static Result<std::shared_ptr<const Snapshot>> build(const CertSet& set, std::uint64_t generation,
                                                       const Snapshot* previous);

  struct Choice {
    const ServerContext* context;  ///< lives as long as the snapshot
    NameMatch match;
  };

  /// Exact name, else one-label wildcard, else the default (RFC 9525, section 6.3).
  Choice select(const ServerName& name) const;
  Choice select_default() const { return {default_context_.get(), NameMatch::none_asked}; }

  const CertSet& set() const noexcept { return set_; }
  std::uint64_t generation() const noexcept { return generation_; }

 private:
  using ContextPtr = std::shared_ptr<const ServerContext>;

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };

  Snapshot(CertSet set, std::uint64_t generation) : set_(std::move(set)), generation_(generation) {}

  Result<void> add_identities(const Snapshot* previous);
  void add_names_of_default();
  Result<ContextPtr> context_for(const Certificate& certificate, const Snapshot* previous);

  CertSet set_;
  std::uint64_t generation_;
  ContextPtr default_context_;
  std::unordered_map<std::string, ContextPtr, Hash, std::equal_to<>> by_name_;
  std::map<Fingerprint, ContextPtr> by_leaf_;
};

}  // namespace livetls
