// What an operator would want to know before an update: the difference to what is served now, and
// what is wrong with the new certificates by themselves.

#include "rotation/examine.hpp"

#include <algorithm>
#include <functional>
#include <set>

#include "pki/crypto.hpp"
#include "pki/parsed_certificate.hpp"
#include "rotation/date.hpp"

namespace livetls {
namespace {

using Kind = FindingKind;
using Chain = std::vector<std::vector<std::uint8_t>>;

class Report {
 public:
  explicit Report(const StagingPolicy& policy) : policy_(policy) {}

  void add(Kind kind, std::string identity, std::string detail) {
    findings.push_back({kind, policy_.severity(kind), std::move(identity), std::move(detail)});
  }

  std::vector<Finding> findings;

 private:
  const StagingPolicy& policy_;
};

/// Calls `visit(name, identity)` for all of them, the default first.
template <class Set, class Visit>
void for_each_identity(Set& set, Visit visit) {
  visit(std::string("default"), set.default_identity);
  for (auto& [name, identity] : set.identities) visit(name, identity);
}

/// Of all that can be read: above the leaf, keys may be of a kind that is not served.
std::vector<CertificateInfo> infos(const Certificate& certificate) {
  std::vector<CertificateInfo> list;
  for (const auto& der : certificate.chain()) {
    if (auto parsed = parse_certificate(der)) list.push_back(std::move(parsed->info));
  }
  return list;
}

/// Each certificate followed by its issuer, as far as the issuers are there (RFC 8446, 4.4.2); as
/// it is where one of them cannot be read.
Chain ordered(const Certificate& certificate) {
  const std::vector<CertificateInfo> parts = infos(certificate);
  if (parts.size() != certificate.chain().size()) {
    return {certificate.chain().begin(), certificate.chain().end()};
  }
  Chain chain = {certificate.chain().front()};
  for (std::size_t last = 0; chain.size() <= parts.size();) {
    if (parts[last].issuer == parts[last].subject) break;
    const auto issuer = std::ranges::find(parts.begin() + 1, parts.end(), parts[last].issuer,
                                          &CertificateInfo::subject);
    if (issuer == parts.end()) break;
    last = static_cast<std::size_t>(issuer - parts.begin());
    chain.push_back(certificate.chain()[last]);
  }
  return chain;
}

/// What its issuers are worth, as clients see them: outages come as often from there as from the
/// leaf.
void examine_issuers(const std::string& name, const Certificate& certificate,
                     std::chrono::sys_seconds time, Report& report) {
  auto below = parse_certificate(certificate.chain().front());
  for (const auto& der : certificate.chain().subspan(1)) {
    auto issuer = parse_certificate(der);
    if (!below || !issuer) return;
    const CertificateInfo& info = issuer->info;
    const bool is_root = issuer->is_self_issued();
    if (time > info.not_after && !is_root) {
      report.add(Kind::expired, name, info.subject + " in its chain, on " + date(info.not_after));
    }
    if (time < info.not_before) {
      report.add(Kind::not_yet_valid, name,
                 info.subject + " in its chain, until " + date(info.not_before));
    }
    const bool is_signed =
        below->signature_algorithm.scheme == 0 || below->signature_algorithm.weak ||
        crypto::verify(info.key_type, issuer->key, below->signature_algorithm.scheme,
                       below->to_be_signed, below->signature);
    if (below->issuer == issuer->subject && !is_signed) {
      report.add(Kind::chain_incomplete, name,
                 below->info.subject + " is not signed by the key of " + info.subject);
    }
    below = std::move(issuer);
  }
}

void examine_certificate(const std::string& name, const Certificate& certificate,
                         std::chrono::sys_seconds time, Report& report) {
  const CertificateInfo& leaf = certificate.leaf();
  if (time > leaf.not_after) report.add(Kind::expired, name, "on " + date(leaf.not_after));
  if (time < leaf.not_before) {
    report.add(Kind::not_yet_valid, name, "until " + date(leaf.not_before));
  }
  examine_issuers(name, certificate, time, report);
  const std::vector<CertificateInfo> chain = infos(certificate);
  if (chain.size() == 1 && leaf.issuer != leaf.subject) {
    report.add(Kind::chain_incomplete, name, "the certificate of " + leaf.issuer + " is not there");
  }
  for (const CertificateInfo& part : chain) {
    const bool is_root = part.issuer == part.subject && chain.size() > 1;
    if (part.weak_signature && !is_root) {
      report.add(Kind::weak_signature, name, part.subject + " is signed with MD5 or SHA-1");
    }
  }
  const bool covered =
      name == "default" || std::ranges::any_of(leaf.dns_names, [&](const auto& own) {
        const auto a = NamePattern::parse(own), b = NamePattern::parse(name);
        if (!a || !b) return false;
        if (*a == *b) return true;
        const auto host = ServerName::parse(b->text());
        return host && a->matches(*host);
      });
  const auto address = ServerName::parse(name);
  if (!covered && !(address && leaf.matches(*address))) {
    report.add(Kind::name_not_covered, name, "its certificate is for " + leaf.subject);
  }
}

void examine_key_types(const std::string& name, const Identity& identity, const TlsPolicy& policy,
                       Report& report) {
  if (policy.min_version > TlsVersion::tls1_2) return;
  const bool alone = std::ranges::all_of(identity.certificates, [](const Certificate& certificate) {
    return certificate.leaf().key_type == KeyType::ed25519;
  });
  if (!alone) return;
  report.add(Kind::ed25519_alone, name,
             "few clients of TLS 1.2 can take it: add an ECDSA or RSA certificate, or set "
             "min_version = tls1_3");
}

void compare_certificates(const std::string& name, const Certificate& before,
                          const Certificate& after, Report& report) {
  const CertificateInfo& old_leaf = before.leaf();
  const CertificateInfo& leaf = after.leaf();
  if (leaf.fingerprint == old_leaf.fingerprint) return;
  if (leaf.issuer != old_leaf.issuer) {
    report.add(Kind::issuer_changed, name, "from " + old_leaf.issuer + " to " + leaf.issuer);
  }
  const Kind validity = leaf.not_after < old_leaf.not_after ? Kind::shorter_lived : Kind::renewed;
  report.add(validity, name, "until " + date(leaf.not_after) + ", was " + date(old_leaf.not_after));
  if (leaf.public_key_fingerprint == old_leaf.public_key_fingerprint) {
    report.add(Kind::key_reused, name, "the new certificate has the old one's private key");
  }
}

/// Each with the one of its kind that takes its place, or else with the first.
void compare_certificates(const std::string& name, const Identity& before, const Identity& after,
                          Report& report) {
  for (const Certificate& old : before.certificates) {
    const KeyType type = old.leaf().key_type;
    const auto successor = std::ranges::find_if(
        after.certificates,
        [type](const Certificate& certificate) { return certificate.leaf().key_type == type; });
    if (successor != after.certificates.end()) {
      compare_certificates(name, old, *successor, report);
      continue;
    }
    report.add(Kind::key_type_changed, name, std::string(to_string(type)) + " is no longer served");
    if (before.certificates.size() == 1 && !after.certificates.empty()) {
      compare_certificates(name, old, after.certificates.front(), report);
    }
  }
}

void compare_identities(const std::string& name, const Identity& before, const Identity& after,
                        Report& report) {
  compare_certificates(name, before, after, report);
  if (after.alpn != before.alpn)
    report.add(Kind::protocols_changed, name, "other protocols (ALPN)");
}

/// With what clients that ask for the name have been served, wherever that came from.
void compare_client_auth(const Snapshot& base, const std::string& name, ClientAuth after,
                         Report& report) {
  const ReadyIdentity* served = base.at(name);
  const auto asked = ServerName::parse(name.starts_with("*.") ? "any" + name.substr(1) : name);
  if (served == nullptr && asked) {
    const Snapshot::Found found = base.find(*asked);
    if (found.match != NameMatch::unknown) served = found.identity;
  }
  if (served == nullptr || is_as_strict_as(after, served->identity().client_auth)) return;
  report.add(Kind::client_auth_weakened, name,
             "from " + std::string(to_string(served->identity().client_auth)) + " to " +
                 std::string(to_string(after)));
}

/// Calls `visit` for every name that a certificate is found by, as it is spelled there.
template <class Visit>
void for_each_name(const CertSet& set, Visit visit) {
  for (const Certificate& certificate : set.default_identity.certificates) {
    std::ranges::for_each(certificate.leaf().dns_names, visit);
    std::ranges::for_each(certificate.leaf().ip_names, visit);
  }
  for (const auto& [name, identity] : set.identities) visit(name);
}

bool has_as_spelled(const CertSet& set, const std::string& name) {
  if (set.identities.contains(name)) return true;
  return std::ranges::any_of(set.default_identity.certificates, [&](const auto& certificate) {
    return std::ranges::count(certificate.leaf().dns_names, name) > 0 ||
           std::ranges::count(certificate.leaf().ip_names, name) > 0;
  });
}

/// The names that `a` serves and `b` does not, in their one spelling; also a wildcard of `b` serves
/// them. Few are spelled otherwise in both, so that most need not be parsed.
std::set<std::string> served_only_by(const CertSet& a, const CertSet& b) {
  std::set<std::string> names;
  for_each_name(a, [&](const std::string& name) {
    if (has_as_spelled(b, name)) return;
    if (const auto pattern = NamePattern::parse(name)) names.insert(pattern->text());
  });
  if (names.empty()) return names;
  std::set<std::string> others;
  for_each_name(b, [&](const std::string& name) {
    if (const auto pattern = NamePattern::parse(name)) others.insert(pattern->text());
  });
  std::erase_if(names, [&](const std::string& name) {
    const auto dot = name.find('.');
    const bool is_covered = dot != name.npos && others.contains("*" + name.substr(dot));
    return is_covered || others.contains(name);
  });
  return names;
}

void compare_names(const CertSet& base, const CertSet& next, Report& report) {
  for (const std::string& name : served_only_by(next, base)) {
    report.add(Kind::name_gained, name, "it is new");
  }
  for (const std::string& name : served_only_by(base, next)) {
    report.add(Kind::name_lost, name, "no certificate is for it any more");
  }
}

/// A client authority that has expired verifies nobody, and is reported as itself: it does not keep
/// a server's certificate from being renewed.
void examine_trust(const CertSet& next, std::chrono::sys_seconds time, Report& report) {
  if (!next.client_roots) return;
  for (const auto& der : next.client_roots->certificates()) {
    const auto root = parse_certificate(der);
    if (!root || time <= root->info.not_after) continue;
    report.add(Kind::trust_removed, "client_roots",
               root->info.subject + " has expired on " + date(root->info.not_after));
  }
  for (const Error& left_out : next.client_roots->left_out()) {
    report.add(Kind::trust_removed, "client_roots", left_out.message());
  }
}

void compare_trust(const CertSet& base, const CertSet& next, Report& report) {
  const auto roots = [](const CertSet& set) {
    std::set<std::vector<std::uint8_t>> all;
    if (!set.client_roots) return all;
    for (const auto& der : set.client_roots->certificates()) all.insert(der);
    return all;
  };
  const auto report_missing = [&](const auto& from, const auto& in, Kind kind) {
    for (const auto& der : from) {
      if (in.contains(der)) continue;
      const auto info = CertificateInfo::from_der(der);
      report.add(kind, "client_roots", info ? info->subject : "a certificate");
    }
  };
  const auto before = roots(base), after = roots(next);
  report_missing(after, before, Kind::trust_added);
  report_missing(before, after, Kind::trust_removed);
}

}  // namespace

std::vector<Finding> repair_chains(CertSet& set, const StagingPolicy& policy) {
  Report report(policy);
  for_each_identity(set, [&](const std::string& name, Identity& identity) {
    for (Certificate& certificate : identity.certificates) {
      if (certificate.is_chain_in_order()) continue;
      Chain chain = ordered(certificate);
      report.add(Kind::chain_repaired, name,
                 std::to_string(certificate.chain().size()) + " certificates became " +
                     std::to_string(chain.size()));
      certificate = certificate.with_chain(std::move(chain)).value();
    }
  });
  return std::move(report.findings);
}

std::vector<Finding> examine(const Snapshot& base, const CertSet& next, const StagingPolicy& policy,
                             std::chrono::sys_seconds time) {
  Report report(policy);
  const CertSet served = base.set();
  for_each_identity(next, [&](const std::string& name, const Identity& identity) {
    const ReadyIdentity* ready = base.at(name);
    const Identity* before = ready == nullptr ? nullptr : &ready->identity();
    if (before != nullptr) compare_identities(name, *before, identity, report);
    compare_client_auth(base, name, identity.client_auth, report);
    if (before == nullptr || *before != identity || next.policy != served.policy) {
      examine_key_types(name, identity, next.policy, report);
    }
    for (const Certificate& certificate : identity.certificates) {
      const bool served_already = before != nullptr && before->has(certificate);
      if (!served_already || !certificate.leaf().valid_at(time)) {
        examine_certificate(name, certificate, time, report);
      }
    }
  });
  compare_names(served, next, report);
  compare_trust(served, next, report);
  examine_trust(next, time, report);
  if (next.policy != served.policy) {
    report.add(Kind::protocols_changed, "default", "other TLS versions");
  }
  return std::move(report.findings);
}

}  // namespace livetls
