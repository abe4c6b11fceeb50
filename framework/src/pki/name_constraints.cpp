#include "pki/name_constraints.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "livetls/pki/server_name.hpp"
#include "pki/ascii.hpp"
#include "pki/object_ids.hpp"
#include "pki/pem.hpp"

namespace livetls {
namespace {

using Type = GeneralName::Type;

/// A name or the base of a subtree, read once for all that it is compared with.
struct Comparable {
  Type type;
  bool is_readable = true;
  std::string host = {};     // of DNS names, e-mail and URIs; of a base, with its leading dot
  std::string mailbox = {};  // of e-mail addresses: what is before the "@"
  der::Span bytes = {};      // of IP addresses
  CanonicalName parts = {};  // of directory names

  /// What comparing it costs.
  std::size_t size() const {
    return 1 + (host.size() + mailbox.size() + bytes.size()) / 64 + parts.size();
  }
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

// ---- Hosts in e-mail addresses and URIs --------------------------------------------------------

/// A base that begins with a dot stands for the hosts below it, any other for itself.
bool is_host_in(std::string_view host, std::string_view base) {
  if (base.empty()) return true;
  return base.starts_with('.') ? is_below(host, base) : host == base;
}

bool is_host(std::string_view name) {
  const auto host = ServerName::parse(name);
  return host && !host->is_ip() && host->text().size() == name.size();  // no dot at its end
}

/// The host of a URI's authority; nothing where it has none, where it is an IP address, or where
/// readers of URIs would not agree on it: to such no constraint can be applied.
std::string host_of(std::string_view uri) {
  const auto is_plain = [](char c) { return c > ' ' && c <= '~' && c != '\\' && c != '%'; };
  const auto in_scheme = [](char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
  };
  const auto colon = uri.find(':');
  if (colon == uri.npos || colon == 0 || !is_letter(uri.front())) return {};
  if (!std::ranges::all_of(uri.substr(0, colon), in_scheme)) return {};
  uri.remove_prefix(colon + 1);
  if (!uri.starts_with("//")) return {};
  std::string_view authority = uri.substr(2);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  if (!std::ranges::all_of(authority, is_plain)) return {};
  if (const auto at = authority.find('@'); at != authority.npos) authority.remove_prefix(at + 1);
  const auto port = authority.find(':');
  if (port != authority.npos && !std::ranges::all_of(authority.substr(port + 1), is_digit))
    return {};
  std::string host = without_final_dot(authority.substr(0, port));
  return is_host(host) ? host : std::string();
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
  if (!name.is_readable || !base.is_readable) return Match::unreadable;
  switch (name.type) {
    case Type::dns:
      return match_if(permitted ? is_all_below(name.host, base.host)
                                : is_any_below(name.host, base.host));
    case Type::email:
      return match_if(base.mailbox.empty()
                          ? is_host_in(name.host, base.host)
                          : name.mailbox == base.mailbox && name.host == base.host);
    case Type::uri: return match_if(is_host_in(name.host, base.host));
    case Type::ip: return match_if(is_in(name.bytes, base.bytes));
    case Type::directory: return match_if(begins_with(name.parts, base.parts));
    case Type::other:
    case Type::x400:
    case Type::edi_party:
    case Type::registered_id: return Match::unreadable;
  }
  return Match::unreadable;
}

/// A mailbox: its local part is compared as it is, its host in any case.
Comparable mailbox_of(std::string_view text) {
  Comparable result{.type = Type::email};
  const auto at = text.find('@');
  result.mailbox = text.substr(0, at);
  if (at != text.npos) result.host = without_final_dot(text.substr(at + 1));
  result.is_readable = at != text.npos && at > 0 && is_host(result.host);
  return result;
}

Comparable name_of(const GeneralName& name) {
  const std::string_view text = as_text(name.value);
  Comparable result{.type = name.type};
  if (name.type == Type::email) return mailbox_of(text);
  if (name.type == Type::dns) {
    result.host = without_final_dot(text);
    result.is_readable = NamePattern::parse(text) || is_host(text);
  }
  if (name.type == Type::uri) {
    result.host = host_of(text);
    result.is_readable = !result.host.empty();
  }
  if (name.type == Type::ip) result.bytes = name.value;
  if (name.type == Type::directory) result.parts = canonical_name(name.value);
  return result;
}

/// A host, one with a dot before it, or nothing; of e-mail addresses, also a mailbox.
Comparable base_of(const GeneralName& base) {
  const std::string_view text = as_text(base.value);
  if (base.type == Type::email && text.find('@') != text.npos) return mailbox_of(text);
  Comparable result{.type = base.type};
  if (base.type == Type::dns || base.type == Type::email || base.type == Type::uri) {
    result.host = without_final_dot(text);
    const std::string_view host = text.starts_with('.') ? text.substr(1) : text;
    result.is_readable = text.empty() || is_host(host);
  }
  if (base.type == Type::ip) result.bytes = base.value;
  if (base.type == Type::directory) result.parts = canonical_name(base.value);
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
    names.push_back(name_of(name));
    has_dns |= name.type == Type::dns;
  }
  if (!certificate.subject.empty()) {
    names.push_back({.type = Type::directory, .parts = certificate.subject});
  }
  for (const std::string& mailbox : attribute_values(certificate.subject_der, oid::kEmailAddress)) {
    names.push_back(mailbox_of(mailbox));
  }
  if (!is_leaf || has_dns) return names;
  for (const std::string& name : attribute_values(certificate.subject_der, oid::kCommonName)) {
    if (looks_like_host(name)) names.push_back({.type = Type::dns, .host = to_lower(name)});
  }
  return names;
}

}  // namespace

NamesAllowed ConstraintCheck::check(const ParsedCertificate& below, bool is_leaf,
                                    const NameConstraints& constraints) {
  if (constraints.permitted.empty() && constraints.excluded.empty()) return NamesAllowed::yes;
  const std::vector<Comparable> names = names_of(below, is_leaf);
  work_ += names.size();
  std::vector<bool> within(names.size(), false);  // a permitted subtree
  std::vector<bool> limited(names.size(), false);
  for (const bool permitted : {true, false}) {
    for (const auto& subtree : permitted ? constraints.permitted : constraints.excluded) {
      const Comparable base = base_of(subtree.base);
      work_ += base.size();
      for (std::size_t i = 0; i < names.size(); ++i) {
        work_ += names[i].type == base.type ? names[i].size() + base.size() : 1;
        if (work_ > kMaxWork) return NamesAllowed::no;
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
