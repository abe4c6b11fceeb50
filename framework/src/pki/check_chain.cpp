#include "pki/check_chain.hpp"

#include <algorithm>

#include "pki/crypto.hpp"
#include "pki/name_constraints.hpp"
#include "pki/trust_bundle_state.hpp"

namespace livetls {
namespace {

/// Finds a path, the shortest step first. A signature costs as much as a handshake's, so their
/// number is bounded: no honest chain needs as many.
class PathSearch {
 public:
  PathSearch(const std::vector<ChainLink>& sent, ConstrainedNames names,
             const std::vector<ChainLink>& roots, std::chrono::sys_seconds now)
      : sent_(sent),
        names_(std::move(names)),
        roots_(roots),
        now_(now),
        used_(sent.size(), false) {}

  Result<void> run() {
    const auto is_leaf = [&](const ChainLink& root) { return root.der == sent_.front().der; };
    if (std::ranges::any_of(roots_, is_leaf) || leads_to_root(0, 0)) return {};
    return left_out_ ? Errc::unenforced_name_constraints : Errc::peer_untrusted;
  }

 private:
  static constexpr int kMaxSignatures = 16;

  /// From the certificate with this index, which has `below` intermediates below itself.
  bool leads_to_root(std::size_t index, int below) {
    const ChainLink& link = sent_[index];
    used_[index] = true;
    for (const ChainLink& root : roots_) {
      if (is_issuer(root, link, below)) return true;
    }
    for (std::size_t next = 1; next < sent_.size(); ++next) {
      if (used_[next] || !is_issuer(sent_[next], link, below)) continue;
      const int counted = sent_[next].is_self_issued() ? 0 : 1;
      if (leads_to_root(next, below + counted)) return true;
    }
    used_[index] = false;
    return false;
  }

  bool is_issuer(const ChainLink& issuer, const ChainLink& link, int below) {
    if (issuer.subject != link.issuer || !may_issue(issuer, below)) return false;
    if (++signatures_ > kMaxSignatures || !crypto::is_signed_by(link.der, issuer.der)) return false;
    if (!issuer.name_constraints.has_others) return true;
    left_out_ = true;
    return false;
  }

  bool may_issue(const ChainLink& issuer, int below) const {
    return issuer.may_issue && issuer.not_before <= now_ && now_ <= issuer.not_after &&
           (!issuer.path_length || below <= *issuer.path_length) &&
           are_allowed(names_, issuer.name_constraints);
  }

  const std::vector<ChainLink>& sent_;
  const ConstrainedNames names_;
  const std::vector<ChainLink>& roots_;
  const std::chrono::sys_seconds now_;
  std::vector<bool> used_;  // on the path so far
  int signatures_ = 0;
  bool left_out_ = false;
};

}  // namespace

Result<void> check_chain(std::span<const std::vector<std::uint8_t>> chain, const TrustBundle& roots,
                         std::chrono::sys_seconds now) {
  if (chain.empty()) return Errc::peer_sent_no_certificate;
  std::vector<ChainLink> links;
  ConstrainedNames names;
  for (const auto& der : chain) {
    const auto parsed = parse_certificate(der);
    if (!parsed) return parsed.error();
    if (links.empty()) names = {parsed->info.dns_names, parsed->ip_addresses};
    links.push_back(chain_link(der, *parsed));
  }
  return PathSearch(links, std::move(names), roots.state().links, now).run();
}

}  // namespace livetls
