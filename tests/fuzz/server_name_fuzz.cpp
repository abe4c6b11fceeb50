// Names have one spelling, and wildcards stand for one whole label: what selection by name and the
// verification of peers rest on.
//
// Input: a pattern, and after the first line feed a server name. Without one, it is both.

#include <algorithm>
#include <string>

#include "fuzz/fuzz_input.hpp"
#include "fuzz/require.hpp"
#include "fuzz/target.hpp"
#include "livetls/pki/server_name.hpp"
#include "pki/ip_address.hpp"
#include "pki/pem.hpp"

namespace livetls::fuzz {
namespace {

constexpr std::size_t kLongestName = 253;

std::string in_upper_case(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

template <class Name>
bool parses_to(std::string_view text, const Name& expected) {
  const auto name = Name::parse(text);
  return name && *name == expected;
}

void check_error(const Error& error) {
  const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
  require(error == Errc::invalid_server_name, "a name's one error");
  require(error.context.size() <= kLongestName + 2, "an error shows a bounded part of the name");
  require(std::ranges::all_of(error.context, printable), "an error cannot forge a log line");
}

void check_address(const ServerName& name) {
  const auto bytes = parse_ip(name.text());
  require(bytes && ip_text(*bytes) == name.text(), "an address stands for itself");
  const bool is_ipv6 = name.text().find(':') != std::string::npos;
  const auto in_brackets = ServerName::parse('[' + name.text() + ']');
  require(in_brackets.has_value() == is_ipv6, "brackets are for IPv6");
  if (is_ipv6) require(*in_brackets == name, "brackets change nothing");
}

void check_host(const ServerName& name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  require(name.text().size() <= kLongestName, "a host name has a bounded length");
  require(std::ranges::all_of(name.text(), allowed), "a host name is of ASCII labels");
  require(name.text().back() != '.', "the dot at the end is gone");
  require(name.text().find("..") == std::string::npos, "no label is empty");
  require(!parse_ip(name.text()), "what reads as an address is one");
  require(parses_to(name.text() + '.', name), "a dot at the end changes nothing");
}

void check_name(std::string_view text) {
  const auto name = ServerName::parse(text);
  const auto pattern = NamePattern::parse(text);
  require(name.has_value() == (pattern && !pattern->is_wildcard()),
          "a server name is a pattern that is no wildcard");
  if (!name) return check_error(name.error());
  require(parses_to(name->text(), *name), "a parsed name parses to itself");
  require(parses_to(in_upper_case(name->text()), *name), "case changes nothing");
  require(pattern->text() == name->text(), "names and patterns are spelt alike");
  require(pattern->matches(*name), "a name matches itself");
  name->is_ip() ? check_address(*name) : check_host(*name);
}

/// A wildcard against the names around it.
void check_wildcard(const NamePattern& wildcard) {
  const std::string parent = wildcard.text().substr(2);
  const auto parent_name = ServerName::parse(parent);
  require(parent_name && !parent_name->is_ip(), "a wildcard stands before a host name");
  require(parent.find('.') != std::string::npos, "a wildcard does not span a top-level domain");
  require(!wildcard.matches(*parent_name), "a wildcard does not match its parent");
  require(!ServerName::parse(wildcard.text()), "a wildcard is no server name");
  const auto child = ServerName::parse("a." + parent);
  require(child && wildcard.matches(*child), "a wildcard matches a child");
  if (const auto grandchild = ServerName::parse("a.b." + parent)) {
    require(!wildcard.matches(*grandchild), "a wildcard does not match a grandchild");
  }
}

void check_pattern(std::string_view text) {
  const auto pattern = NamePattern::parse(text);
  if (!pattern) return check_error(pattern.error());
  require(parses_to(pattern->text(), *pattern), "a parsed pattern parses to itself");
  require(parses_to(in_upper_case(pattern->text()), *pattern), "case changes nothing");
  if (pattern->is_wildcard()) check_wildcard(*pattern);
}

/// What RFC 9525 says, in other words than NamePattern::matches does.
bool should_match(const NamePattern& pattern, const ServerName& name) {
  if (!pattern.is_wildcard()) return pattern.text() == name.text();
  if (name.is_ip()) return false;
  const std::string& host = name.text();
  const std::size_t first_dot = std::min(host.find('.'), host.size());
  return '*' + host.substr(first_dot) == pattern.text();
}

void check(std::string_view input) {
  const std::size_t line_end = input.find('\n');
  const std::string_view pattern_text = input.substr(0, line_end);
  const std::string_view name_text = line_end == input.npos ? input : input.substr(line_end + 1);
  check_pattern(pattern_text);
  check_name(pattern_text);
  check_name(name_text);
  const auto pattern = NamePattern::parse(pattern_text);
  const auto name = ServerName::parse(name_text);
  if (pattern && name) {
    require(pattern->matches(*name) == should_match(*pattern, *name), "the rules of wildcards");
  }
}

const Target kTarget("server_name", [](Bytes input) { check(as_text(input)); });

}  // namespace
}  // namespace livetls::fuzz
