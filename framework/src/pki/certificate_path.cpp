#include "pki/certificate_path.hpp"

#include <algorithm>

#include "pki/crypto.hpp"
#include "pki/name_constraints.hpp"
#include "pki/policies.hpp"
#include "pki/trust_bundle_state.hpp"

namespace livetls {
namespace {

/// Goes up from the leaf, and back where it leads nowhere. A signature costs as much as a
/// handshake's, so their number is bounded: no honest chain needs as many.
class PathSearch {
 public:
  PathSearch(std::span<const ParsedCertificate> sent, const TrustBundle::State& roots,
             Purpose purpose, std::chrono::sys_seconds now)
      : sent_(sent), roots_(roots), purpose_(purpose), now_(now), path_{&sent.front()} {}

  Result<CertificateChain> run() {
    const ParsedCertificate& leaf = sent_.front();
    if (const Error wrong = check_leaf(leaf); wrong.code) return wrong;
    if (!is_trusted(leaf) && !leads_to_root()) return reason_;
    CertificateChain found;
    for (const ParsedCertificate* certificate : path_) {
      found.emplace_back(certificate->der.begin(), certificate->der.end());
    }
    return found;
  }

 private:
  static constexpr int kMaxSignatures = 64;

  struct Candidate {
    const ParsedCertificate* certificate;
    bool is_root;
    bool other_key_id;  // than the one that it is looked for by: a hint, and no more
  };

  // ---- The search ------------------------------------------------------------------------------

  bool leads_to_root() {
    const ParsedCertificate& top = *path_.back();
    const std::vector<Candidate> candidates = candidates_for(top);
    if (candidates.empty()) {
      note({Errc::peer_untrusted, "the issuer of " + shown(top) + ", " +
                                      quoted_name(top.info.issuer) +
                                      ", is neither sent nor trusted"});
    }
    for (const Candidate& candidate : candidates) {
      if (!may_follow(candidate)) continue;
      path_.push_back(candidate.certificate);
      if (candidate.is_root ? has_valid_policies() : leads_to_root()) return true;
      path_.pop_back();
    }
    return false;
  }

  /// Those of the issuer's name that are not on the path: the likely ones first.
  std::vector<Candidate> candidates_for(const ParsedCertificate& certificate) const {
    std::vector<Candidate> candidates;
    const auto add = [&](const ParsedCertificate& issuer, bool is_root) {
      const der::Span wanted = certificate.extensions.authority_key_id;
      const der::Span key_id = issuer.extensions.subject_key_id;
      const bool other = !wanted.empty() && !key_id.empty() && !std::ranges::equal(wanted, key_id);
      if (!is_on_path(issuer)) candidates.push_back({&issuer, is_root, other});
    };
    const auto [first, last] = roots_.by_subject.equal_range(certificate.issuer);
    for (auto root = first; root != last; ++root) add(*root->second, true);
    for (const ParsedCertificate& issuer : sent_.subspan(1)) {
      if (issuer.subject == certificate.issuer) add(issuer, false);
    }
    std::ranges::stable_partition(candidates, [](const auto& c) { return !c.other_key_id; });
    return candidates;
  }

  /// The same certificate, or another one of the same name and key: it leads nowhere new.
  bool is_on_path(const ParsedCertificate& certificate) const {
    return std::ranges::any_of(path_, [&](const ParsedCertificate* other) {
      return other->public_key_info == certificate.public_key_info &&
             other->subject == certificate.subject && other != path_.front();
    });
  }

  bool is_trusted(const ParsedCertificate& leaf) const {
    const auto [first, last] = roots_.by_subject.equal_range(leaf.subject);
    return std::any_of(first, last, [&](const auto& root) {
      return std::ranges::equal(root.second->der, leaf.der);
    });
  }

  // ---- The rules -------------------------------------------------------------------------------

  Error check_leaf(const ParsedCertificate& leaf) const {
    if (const Error wrong = check_any(leaf); wrong.code) return wrong;
    const auto& usage = leaf.extensions.key_usage;
    if (usage && (*usage & kDigitalSignature) == 0) {
      return {Errc::peer_wrong_purpose, "the key of " + shown(leaf) + " is not for signatures"};
    }
    return {};
  }

  /// What every certificate of a path is checked for, also a trust anchor, as others do.
  Error check_any(const ParsedCertificate& certificate) const {
    if (!certificate.info.valid_at(now_)) {
      const bool expired = certificate.info.not_after < now_;
      return {Errc::peer_expired,
              shown(certificate) + (expired ? " has expired" : " is not valid yet")};
    }
    const auto& usage = certificate.extensions.extended_key_usage;
    const bool is_for_peer = purpose_ == Purpose::server_auth ? !usage || usage->server_auth
                                                              : !usage || usage->client_auth;
    if (!is_for_peer && !usage->any) {
      return {Errc::peer_wrong_purpose,
              shown(certificate) + " is not for " +
                  (purpose_ == Purpose::server_auth ? "servers" : "clients") +
                  " (extended key usage)"};
    }
    if (certificate.extensions.unknown_critical) {
      return {Errc::peer_untrusted, shown(certificate) +
                                        " has a critical extension that is not known, " +
                                        *certificate.extensions.unknown_critical};
    }
    return {};
  }

  bool may_follow(const Candidate& candidate) {
    const ParsedCertificate& issuer = *candidate.certificate;
    return holds(check_any(issuer)) && holds(check_ca(issuer, candidate.is_root)) &&
           holds(check_names(issuer)) && holds(check_signature(issuer));
  }

  Error check_ca(const ParsedCertificate& issuer, bool is_root) const {
    const CertificateExtensions& extensions = issuer.extensions;
    const bool is_old_root = is_root && issuer.version < 3;  // it could not say so
    if (!extensions.is_ca && !is_old_root) {
      return {Errc::peer_untrusted, shown(issuer) + " is no CA"};
    }
    if (extensions.key_usage && (*extensions.key_usage & kCertificateSign) == 0) {
      return {Errc::peer_untrusted, shown(issuer) + " may not sign certificates (key usage)"};
    }
    const auto intermediates = std::count_if(
        path_.begin() + 1, path_.end(), [](const auto* below) { return !below->is_self_issued(); });
    if (extensions.path_length && intermediates > *extensions.path_length) {
      return {Errc::peer_untrusted, shown(issuer) + " allows for fewer intermediates below it"};
    }
    return {};
  }

  Error check_names(const ParsedCertificate& issuer) {
    for (const ParsedCertificate* below : path_) {
      const bool is_leaf = below == path_.front();
      if (below->is_self_issued() && !is_leaf) continue;
      switch (constraints_.check(*below, is_leaf, issuer.extensions.name_constraints)) {
        case NamesAllowed::yes: break;
        case NamesAllowed::no:
          return {Errc::peer_untrusted,
                  shown(issuer) + " may not vouch for all names of " + shown(*below)};
        case NamesAllowed::unknown:
          return {Errc::unenforced_name_constraints, shown(issuer) + ", for " + shown(*below)};
      }
    }
    return {};
  }

  Error check_signature(const ParsedCertificate& issuer) {
    const ParsedCertificate& signed_one = *path_.back();
    if (signed_one.signature_algorithm.weak) {
      return {Errc::peer_untrusted, shown(signed_one) + " is signed with SHA-1, MD5 or MD2"};
    }
    if (++signatures_ > kMaxSignatures) {
      return {Errc::peer_untrusted, "there are too many certificates of the same names"};
    }
    if (crypto::verify(issuer.info.key_type, issuer.key, signed_one.signature_algorithm.scheme,
                       signed_one.to_be_signed, signed_one.signature)) {
      return {};
    }
    return {Errc::peer_untrusted,
            shown(signed_one) + " is not signed by the key of " + shown(issuer)};
  }

  bool has_valid_policies() {
    const std::span<const ParsedCertificate* const> path(path_);
    if (are_policies_valid(path.first(path.size() - 1))) return true;
    note({Errc::peer_untrusted, "no certificate policy holds for the whole path, and one must"});
    return false;
  }

  // ---- What was wrong --------------------------------------------------------------------------

  static std::string shown(const ParsedCertificate& certificate) {
    return quoted_name(certificate.info.subject);
  }

  bool holds(Error wrong) {
    if (!wrong.code) return true;
    note(std::move(wrong));
    return false;
  }

  /// Of several reasons, the first one of the longest path.
  void note(Error wrong) {
    if (path_.size() <= reason_depth_) return;
    reason_depth_ = path_.size();
    reason_ = std::move(wrong);
  }

  std::span<const ParsedCertificate> sent_;
  const TrustBundle::State& roots_;
  const Purpose purpose_;
  const std::chrono::sys_seconds now_;

  std::vector<const ParsedCertificate*> path_;
  ConstraintCheck constraints_;
  int signatures_ = 0;
  Error reason_;
  std::size_t reason_depth_ = 0;
};

}  // namespace

Result<CertificateChain> find_path(std::span<const std::vector<std::uint8_t>> sent,
                                   const TrustBundle& roots, Purpose purpose,
                                   std::chrono::sys_seconds now) {
  if (sent.empty()) return Errc::peer_sent_no_certificate;
  std::vector<ParsedCertificate> parsed;
  for (const auto& der : sent) {
    auto certificate = parse_certificate(der);
    if (certificate) {
      parsed.push_back(std::move(*certificate));
    } else if (parsed.empty()) {
      return certificate.error();
    }
  }
  return PathSearch(parsed, roots.state(), purpose, now).run();
}

}  // namespace livetls
