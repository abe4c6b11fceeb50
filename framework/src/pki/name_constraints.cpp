#include "pki/name_constraints.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "pki/ascii.hpp"
#include "pki/ip_address.hpp"
#include "pki/object_ids.hpp"
#include "pki/pem.hpp"

namespace livetls {
namespace {

using Type = GeneralName::Type;

/// A name or the base of a subtree, as it is compared.
struct Comparable {
  Type type;
  std::string text;     // of DNS names, e-mail addresses and URIs
  der::Span bytes;      // of IP addresses
  CanonicalName parts;  // of directory names
};

enum class Match { no, yes, unreadable };

Match match_if(bool condition) { return condition ? Match::yes : Match::no; }

// ---- DNS names -------------------------------------------------------------------------------

std::string without_final_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return to_lower(name);
}

/// `name` is `base` or has labels before it. A base that begins with a dot wants at least one more.
bool is_below(std::string_view name, std::string_view base) {
  if (base.empty()) return true;
  if (base.starts_with('.')) return name.size() > base.size() && name.ends_with(base);
  if (!name.ends_with(base)) return false;
  return name.size() == base.size() || name[name.size() - base.size() - 1] == '.';
}

/// All that "*.a.example" stands for is below what "a.example" is below, but for the name itself.
bool is_all_below(std::string_view name, std::string_view base) {
  if (!name.starts_with("*.")) return is_below(name, base);
  const std::string_view parent = name.substr(2);
  return is_below(parent, base) ||
         (base.starts_with('.') && is_below("x." + std::string(parent), base));
}

/// Whether any name that `name` stands for is below `base`.
bool is_any_below(std::string_view name, std::string_view base) {
  if (!name.starts_with("*.")) return is_below(name, base);
  const std::string_view parent = name.substr(2);
  const std::string_view without_dot = base.starts_with('.') ? base.substr(1) : base;
  return is_below(parent, base) || is_below("x." + std::string(parent), base) ||
         is_below(without_dot, parent);
}

/// A name without an empty label: what others make of one that has some cannot be known.
bool is_dns_name(std::string_view name) {
  return !name.empty() && !name.starts_with('.') && name.find("..") == name.npos;
}

// ---- Hosts in e-mail addresses and URIs --------------------------------------------------------

/// A base that begins with a dot stands for the hosts below it, any other for itself.
bool is_host_in(std::string_view host, std::string_view base) {
  if (base.empty()) return true;
  return base.starts_with('.') ? is_below(host, base) : host == base;
}

/// The local part is compared as it is, the host in any case.
Match match_email(std::string_view mailbox, std::string_view base) {
  const auto at = mailbox.find('@');
  if (at == mailbox.npos || at == 0 || at + 1 == mailbox.size()) return Match::unreadable;
  if (mailbox.find('@', at + 1) != mailbox.npos) return Match::unreadable;
  const std::string host = without_final_dot(mailbox.substr(at + 1));
  const auto base_at = base.rfind('@');
  if (base_at == base.npos) return match_if(is_host_in(host, without_final_dot(base)));
  return match_if(mailbox.substr(0, at) == base.substr(0, base_at) &&
                  host == without_final_dot(base.substr(base_at + 1)));
}

/// The host of a URI's authority; nothing where there is none, or it is an IP address, to which no
/// constraint can be applied.
std::string host_of(std::string_view uri) {
  const auto slashes = uri.find("://");
  if (slashes == uri.npos) return {};
  std::string_view authority = uri.substr(slashes + 3);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  if (const auto at = authority.rfind('@'); at != authority.npos) authority.remove_prefix(at + 1);
  if (authority.starts_with('[')) return {};
  const std::string host = without_final_dot(authority.substr(0, authority.find(':')));
  return parse_ip(host) ? std::string() : host;
}

Match match_uri(std::string_view uri, std::string_view base) {
  const std::string host = host_of(uri);
  return host.empty() ? Match::unreadable : match_if(is_host_in(host, without_final_dot(base)));
}

// ---- Other names -------------------------------------------------------------------------------

bool is_in(der::Span address, der::Span range) {
  if (range.size() != 2 * address.size()) return false;
  for (std::size_t i = 0; i < address.size(); ++i) {
    const std::uint8_t mask = range[address.size() + i];
    if ((address[i] & mask) != (range[i] & mask)) return false;
  }
  return true;
}

bool begins_with(const CanonicalName& name, const CanonicalName& base) {
  return name.size() >= base.size() && std::equal(base.begin(), base.end(), name.begin());
}

/// Whether a name is within a subtree: all it stands for where the subtree is permitted, any of it
/// where it is excluded.
Match match(const Comparable& name, const Comparable& base, bool permitted) {
  switch (name.type) {
    case Type::dns:
      if (!is_dns_name(name.text)) return Match::unreadable;
      return match_if(permitted ? is_all_below(name.text, base.text)
                                : is_any_below(name.text, base.text));
    case Type::email: return match_email(name.text, base.text);
    case Type::uri: return match_uri(name.text, base.text);
    case Type::ip: return match_if(is_in(name.bytes, base.bytes));
    case Type::directory: return match_if(begins_with(name.parts, base.parts));
    case Type::other:
    case Type::x400:
    case Type::edi_party:
    case Type::registered_id: return Match::unreadable;
  }
  return Match::unreadable;
}

Comparable comparable(const GeneralName& name) {
  Comparable result{name.type, std::string(as_text(name.value)), name.value, {}};
  if (name.type == Type::dns) result.text = without_final_dot(result.text);
  if (name.type == Type::directory) result.parts = canonical_name(name.value);
  return result;
}

/// Letters, digits, hyphens and underscores between dots, of which there is one at least.
bool looks_like_host(std::string_view name) {
  const auto is_inner = [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; };
  bool has_dot = false;
  while (true) {
    const auto dot = name.find('.');
    const auto label = name.substr(0, dot);
    if (label.empty() || label.front() == '-' || label.back() == '-') return false;
    if (!std::ranges::all_of(label, is_inner)) return false;
    if (dot == name.npos) return has_dot;
    has_dot = true;
    name.remove_prefix(dot + 1);
  }
}

/// All names of a certificate: the alternative ones and its subject, with the e-mail addresses in
/// it.
std::vector<Comparable> names_of(const ParsedCertificate& certificate, bool is_leaf) {
  std::vector<Comparable> names;
  bool has_dns = false;
  for (const GeneralName& name : certificate.extensions.alternative_names) {
    names.push_back(comparable(name));
    has_dns |= name.type == Type::dns;
  }
  if (!certificate.subject.empty()) {
    names.push_back({Type::directory, {}, {}, certificate.subject});
  }
  for (std::string& mailbox : attribute_values(certificate.subject_der, oid::kEmailAddress)) {
    names.push_back({Type::email, std::move(mailbox), {}, {}});
  }
  if (!is_leaf || has_dns) return names;
  for (const std::string& name : attribute_values(certificate.subject_der, oid::kCommonName)) {
    if (looks_like_host(name)) names.push_back({Type::dns, to_lower(name), {}, {}});
  }
  return names;
}

}  // namespace

NamesAllowed ConstraintCheck::check(const ParsedCertificate& below, bool is_leaf,
                                    const NameConstraints& constraints) {
  if (constraints.permitted.empty() && constraints.excluded.empty()) return NamesAllowed::yes;
  const std::vector<Comparable> names = names_of(below, is_leaf);
  std::vector<bool> within(names.size(), false);  // a permitted subtree
  std::vector<bool> limited(names.size(), false);
  for (const bool permitted : {true, false}) {
    for (const auto& subtree : permitted ? constraints.permitted : constraints.excluded) {
      const Comparable base = comparable(subtree.base);
      for (std::size_t i = 0; i < names.size(); ++i) {
        if (++comparisons_ > kMaxComparisons) return NamesAllowed::no;
        if (names[i].type != base.type) continue;
        const Match found =
            subtree.has_distance ? Match::unreadable : match(names[i], base, permitted);
        if (found == Match::unreadable) return NamesAllowed::unknown;
        if (found == Match::yes && !permitted) return NamesAllowed::no;
        if (permitted) limited[i] = true;
        if (found == Match::yes) within[i] = true;
      }
    }
  }
  return within == limited ? NamesAllowed::yes : NamesAllowed::no;
}

}  // namespace livetls
