#include "livetls/rotation/finding.hpp"

#include <algorithm>
#include <array>

namespace livetls {
namespace {

struct Row {
  FindingKind kind;
  std::string_view name;
  Severity severity;
};

using enum FindingKind;

constexpr std::array kRows = {
    Row{name_gained, "name_gained", Severity::info},
    Row{name_lost, "name_lost", Severity::refusal},
    Row{renewed, "renewed", Severity::info},
    Row{shorter_lived, "shorter_lived", Severity::warning},
    Row{issuer_changed, "issuer_changed", Severity::info},
    Row{key_type_changed, "key_type_changed", Severity::info},
    Row{key_reused, "key_reused", Severity::warning},
    Row{chain_repaired, "chain_repaired", Severity::info},
    Row{chain_incomplete, "chain_incomplete", Severity::warning},
    Row{weak_signature, "weak_signature", Severity::refusal},
    Row{ed25519_alone, "ed25519_alone", Severity::warning},
    Row{name_not_covered, "name_not_covered", Severity::refusal},
    Row{expired, "expired", Severity::refusal},
    Row{not_yet_valid, "not_yet_valid", Severity::refusal},
    Row{trust_added, "trust_added", Severity::info},
    Row{trust_removed, "trust_removed", Severity::warning},
    Row{client_auth_weakened, "client_auth_weakened", Severity::refusal},
    Row{protocols_changed, "protocols_changed", Severity::info},
};

const Row& row(FindingKind kind) { return *std::ranges::find(kRows, kind, &Row::kind); }

}  // namespace

std::string_view to_string(FindingKind kind) noexcept { return row(kind).name; }

std::optional<FindingKind> parse_finding_kind(std::string_view name) noexcept {
  const auto found = std::ranges::find(kRows, name, &Row::name);
  return found == kRows.end() ? std::nullopt : std::optional(found->kind);
}

std::string_view to_string(Severity severity) noexcept {
  switch (severity) {
    case Severity::info: return "info";
    case Severity::warning: return "warning";
    case Severity::refusal: return "refusal";
  }
  return "";
}

std::string Finding::message() const {
  std::string text = std::string(to_string(severity)) + ": " + std::string(to_string(kind)) + ": " +
                     identity + ": " + detail;
  if (!overridden_because.empty()) text += " (overridden: " + overridden_because + ")";
  return text;
}

Severity StagingPolicy::severity(FindingKind kind) const {
  const auto chosen = severities.find(kind);
  return chosen == severities.end() ? row(kind).severity : chosen->second;
}

}  // namespace livetls
