#include "pki/check_chain.hpp"

#include <algorithm>

#include "pki/trust_bundle_state.hpp"

namespace livetls {
namespace {

bool is_issuer(const ChainLink& candidate, const ChainLink& link) {
  if (candidate.subject == link.issuer) return true;
  return !link.authority_key_id.empty() && candidate.subject_key_id == link.authority_key_id;
}

/// The library also finds issuers by their key alone.
bool may_be_issuer(const ChainLink& candidate, const ChainLink& link) {
  const bool by_key = !link.authority_key_id.empty() && candidate.subject_key_id.empty();
  return by_key || is_issuer(candidate, link);
}

/// `directly`: the candidate may have issued the leaf.
bool leaves_something_out(const ChainLink& candidate, bool directly) {
  switch (candidate.name_constraints) {
    case NameConstraints::none: return false;
    case NameConstraints::of_enforced_types: return !directly;
    case NameConstraints::others: return true;
  }
  return true;
}

/// Goes from the leaf to every certificate that may be above it.
class Walk {
 public:
  Walk(const std::vector<ChainLink>& sent, const std::vector<ChainLink>& roots)
      : sent_(sent), roots_(roots), visited_(sent.size(), false) {}

  Result<void> run() {
    go_up(0, true);
    if (left_out_) return Errc::unenforced_name_constraints;
    if (!reached_root_) return Errc::peer_untrusted;
    return {};
  }

 private:
  void go_up(std::size_t index, bool directly) {
    const ChainLink& link = sent_[index];
    visited_[index] = true;
    for (const ChainLink& root : roots_) {
      reached_root_ |= is_issuer(root, link);
      left_out_ |= may_be_issuer(root, link) && leaves_something_out(root, directly);
    }
    for (std::size_t other = 1; other < sent_.size(); ++other) {
      const ChainLink& candidate = sent_[other];
      if (other == index || !may_be_issuer(candidate, link)) continue;
      left_out_ |= leaves_something_out(candidate, directly);
      const bool is_self_issued = candidate.subject == candidate.issuer;
      if (!visited_[other] && !is_self_issued) go_up(other, false);
    }
  }

  const std::vector<ChainLink>& sent_;
  const std::vector<ChainLink>& roots_;
  std::vector<bool> visited_;
  bool reached_root_ = false;
  bool left_out_ = false;
};

}  // namespace

Result<void> check_chain(std::span<const std::vector<std::uint8_t>> chain,
                         const TrustBundle& roots) {
  std::vector<ChainLink> links;
  for (const auto& der : chain) {
    auto parsed = parse_certificate(der);
    if (!parsed) return parsed.error();
    links.push_back(chain_link(std::move(*parsed)));
  }
  if (links.empty()) return Errc::peer_sent_no_certificate;
  return Walk(links, roots.state().links).run();
}

}  // namespace livetls
