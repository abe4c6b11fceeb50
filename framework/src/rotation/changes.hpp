#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "livetls/base/result.hpp"
#include "livetls/rotation/cert_set.hpp"

namespace livetls {

/// What makes one CertSet of another, to be applied to a third. Holds private keys of the new set
/// only.
class Changes {
 public:
  Changes(const CertSet& base, const CertSet& next);

  /// `current` may have moved on from the base. Errors: plan_outdated, naming what both changed.
  Result<CertSet> apply_to(CertSet current) const;

 private:
  /// Tells whether an identity is the one that was there.
  struct Mark {
    std::vector<Fingerprint> leaves;
    ClientAuth client_auth;
    std::vector<std::string> alpn;

    static Mark of(const Identity& identity);
    friend bool operator==(const Mark&, const Mark&) = default;
  };

  struct NamedChange {
    std::optional<Mark> before;
    std::optional<Identity> after;
  };

  template <class T>
  struct Change {
    T before;
    T after;
  };

  Result<void> apply_to_name(const std::string& name, const NamedChange& change,
                             std::map<std::string, Identity>& current) const;

  std::optional<NamedChange> default_identity_;
  std::map<std::string, NamedChange> identities_;
  std::optional<Change<std::optional<TrustBundle>>> client_roots_;
  std::optional<Change<TlsPolicy>> policy_;
};

}  // namespace livetls
