#include "livetls/pki/server_name.hpp"

#include <algorithm>
#include <optional>

#include "pki/ascii.hpp"
#include "pki/ip_address.hpp"

namespace livetls {
namespace {

constexpr std::size_t kMaxNameLength = 253;
constexpr std::size_t kMaxLabelLength = 63;
constexpr std::string_view kWildcard = "*.";

bool is_label_character(char c) {
  return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_';
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kMaxLabelLength && label.front() != '-' &&
         label.back() != '-' && std::all_of(label.begin(), label.end(), is_label_character);
}

/// Canonical text, with or without the brackets that URLs put around IPv6.
std::optional<std::string> canonical_ip(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) {
    text = text.substr(1, text.size() - 2);
    if (text.find(':') == text.npos) return {};
  }
  const auto bytes = parse_ip(text);
  return bytes ? ip_text(*bytes) : std::nullopt;
}

std::optional<std::string> canonical_host(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.size() > kMaxNameLength) return {};
  const std::string name = to_lower(text);

  std::string_view rest = name;
  while (true) {
    const auto dot = rest.find('.');
    const auto label = rest.substr(0, dot);
    if (!is_label(label)) return {};
    if (dot != rest.npos) {
      rest.remove_prefix(dot + 1);
      continue;
    }
    // A number at the end is an IP address gone wrong, for browsers too.
    if (std::all_of(label.begin(), label.end(), is_digit)) return {};
    return name;
  }
}

Error invalid_name(std::string_view text) {
  return {Errc::invalid_server_name, "'" + printable(text.substr(0, kMaxNameLength)) + "'"};
}

}  // namespace

Result<ServerName> ServerName::parse(std::string_view text) {
  if (auto ip = canonical_ip(text)) return ServerName(std::move(*ip), true);
  if (auto host = canonical_host(text)) return ServerName(std::move(*host), false);
  return invalid_name(text);
}

Result<NamePattern> NamePattern::parse(std::string_view text) {
  if (!text.starts_with(kWildcard)) {
    if (auto ip = canonical_ip(text)) return NamePattern(std::move(*ip), true);
    if (auto host = canonical_host(text)) return NamePattern(std::move(*host), false);
    return invalid_name(text);
  }
  const auto parent = canonical_host(text.substr(kWildcard.size()));
  const bool whole_top_level = parent && parent->find('.') == parent->npos;
  if (!parent || whole_top_level || parent->size() + kWildcard.size() > kMaxNameLength) {
    return invalid_name(text);
  }
  return NamePattern(std::string(kWildcard) + *parent, false);
}

bool NamePattern::matches(const ServerName& name) const noexcept {
  if (is_ip_ != name.is_ip()) return false;
  if (!is_wildcard()) return text_ == name.text();
  const std::string_view host = name.text();
  const auto dot = host.find('.');
  return dot != host.npos && host.substr(dot) == std::string_view(text_).substr(1);
}

}  // namespace livetls
