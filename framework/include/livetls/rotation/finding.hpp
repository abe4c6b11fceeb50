#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace livetls {

/// What a staged CertSet would change, or has wrong with it.
enum class FindingKind {
  name_gained,
  name_lost,      ///< it would be served the default from then on, or nothing
  renewed,        ///< the same names under a certificate that is valid for longer
  shorter_lived,  ///< valid for less long than the certificate it replaces
  issuer_changed,
  key_type_changed,
  key_reused,        ///< a new certificate over the old private key
  chain_repaired,    ///< its certificates were out of order, or held some that do not belong to it
  chain_incomplete,  ///< no intermediate is there: fine only where the root itself issued the leaf
  weak_signature,    ///< MD5 or SHA-1 in the chain
  ed25519_alone,     ///< for clients of TLS 1.2, few of whom can take it, too
  name_not_covered,  ///< an identity's name that its own certificate is not for
  expired,
  not_yet_valid,
  trust_added,
  trust_removed,
  client_auth_weakened,
  protocols_changed,  ///< ALPN, or the TLS versions
};

/// The kind's own name, "name_lost" for example: what refusals are overridden by.
std::string_view to_string(FindingKind kind) noexcept;
std::optional<FindingKind> parse_finding_kind(std::string_view name) noexcept;

enum class Severity {
  info,
  warning,
  refusal,  ///< keeps the plan from being committed, unless it is overridden
};

std::string_view to_string(Severity severity) noexcept;

/// One line of a staged plan's report.
struct Finding {
  FindingKind kind;
  Severity severity;
  std::string identity;  ///< the name it is about; "default", or "client_roots"
  std::string detail;    ///< for people

  /// Why the refusal does not count; empty unless it was overridden.
  std::string overridden_because = {};

  bool blocks() const noexcept {
    return severity == Severity::refusal && overridden_because.empty();
  }

  /// "refusal: name_lost: api.example.com: …"
  std::string message() const;
};

/// How serious each kind is. What is not named here has its default: refusals are expired,
/// not_yet_valid, name_lost, name_not_covered, weak_signature and client_auth_weakened; warnings
/// are shorter_lived, key_reused, chain_incomplete, ed25519_alone and trust_removed.
struct StagingPolicy {
  std::map<FindingKind, Severity> severities = {};

  Severity severity(FindingKind kind) const;
};

}  // namespace livetls
