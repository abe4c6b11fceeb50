#include "pki/policies.hpp"

#include <algorithm>
#include <ranges>
#include <set>
#include <string_view>

#include "pki/object_ids.hpp"
#include "pki/pem.hpp"

namespace livetls {
namespace {

/// Since any policy will do, of the tree in RFC 5280 only its lowest level matters: the policies
/// that are expected of the next certificate.
class PolicyCheck {
 public:
  explicit PolicyCheck(int certificates)
      : require_explicit_(certificates + 1),
        inhibit_mapping_(certificates + 1),
        inhibit_any_(certificates + 1) {}

  /// Certificates go from the one below the trust anchor to the leaf.
  bool accept(const ParsedCertificate& certificate, bool is_leaf) {
    narrow(certificate, is_leaf);
    if (require_explicit_ == 0 && !any_is_valid()) return false;
    if (!is_leaf) return prepare_for_next(certificate);
    const auto& required = certificate.extensions.policies.require_explicit;
    if (require_explicit_ > 0) --require_explicit_;
    if (required && *required == 0) require_explicit_ = 0;
    return require_explicit_ > 0 || any_is_valid();
  }

 private:
  using Policies = std::set<std::string_view>;

  static bool is_any(der::Span policy) { return std::ranges::equal(policy, oid::kAnyPolicy); }
  bool any_is_valid() const { return expects_any_ || !expected_.empty(); }

  /// Section 6.1.3, (d) and (e).
  void narrow(const ParsedCertificate& certificate, bool is_leaf) {
    const auto& asserted = certificate.extensions.policies.asserted;
    Policies valid;
    bool keeps_any = false;
    if (asserted) {
      for (const der::Span policy : *asserted) {
        const auto text = as_text(policy);
        if (!is_any(policy) && (expects_any_ || expected_.contains(text))) valid.insert(text);
      }
      const bool counts = inhibit_any_ > 0 || (!is_leaf && certificate.is_self_issued());
      if (counts && std::ranges::any_of(*asserted, is_any)) {
        valid.insert(expected_.begin(), expected_.end());
        keeps_any = expects_any_;
      }
    }
    expected_ = std::move(valid);
    expects_any_ = keeps_any;
  }

  /// Section 6.1.4, (a), (b) and (h) to (j).
  bool prepare_for_next(const ParsedCertificate& certificate) {
    const CertificatePolicies& policies = certificate.extensions.policies;
    const auto maps_any = [](const auto& m) { return is_any(m.issuers) || is_any(m.subjects); };
    if (std::ranges::any_of(policies.mappings, maps_any)) return false;
    map(policies);
    if (!certificate.is_self_issued()) {
      for (int* count : {&require_explicit_, &inhibit_mapping_, &inhibit_any_}) {
        if (*count > 0) --*count;
      }
    }
    lower(require_explicit_, policies.require_explicit);
    lower(inhibit_mapping_, policies.inhibit_mapping);
    lower(inhibit_any_, policies.inhibit_any);
    return true;
  }

  void map(const CertificatePolicies& policies) {
    Policies gone, come;
    for (const auto& mapping : policies.mappings) {
      const auto issuers = as_text(mapping.issuers);
      const bool applies = expects_any_ || expected_.contains(issuers);
      if (applies && inhibit_mapping_ > 0) come.insert(as_text(mapping.subjects));
      gone.insert(issuers);
    }
    for (const auto policy : gone) expected_.erase(policy);
    expected_.merge(come);
  }

  static void lower(int& count, const std::optional<int>& limit) {
    if (limit) count = std::min(count, *limit);
  }

  Policies expected_;
  bool expects_any_ = true;
  int require_explicit_;
  int inhibit_mapping_;
  int inhibit_any_;
};

}  // namespace

bool are_policies_valid(std::span<const ParsedCertificate* const> path) {
  PolicyCheck check(static_cast<int>(path.size()));
  for (const ParsedCertificate* certificate : path | std::views::reverse) {
    if (!check.accept(*certificate, certificate == path.front())) return false;
  }
  return true;
}

}  // namespace livetls
