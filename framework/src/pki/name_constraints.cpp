#include "pki/name_constraints.hpp"

#include <algorithm>
#include <string_view>

namespace livetls {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string normalised(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string text(name);
  std::ranges::transform(text, text.begin(), lower);
  return text;
}

/// `name` is `base` or has labels before it. A base that begins with a dot wants at least one more.
bool is_below(std::string_view name, std::string_view base) {
  if (base.empty()) return true;
  if (base.starts_with('.')) return name.size() > base.size() && name.ends_with(base);
  if (!name.ends_with(base)) return false;
  return name.size() == base.size() || name[name.size() - base.size() - 1] == '.';
}

/// All that "*.a.example" stands for is below what "a.example" is below, but for the name itself.
bool is_permitted(const std::string& name, const std::string& base) {
  if (!name.starts_with("*.")) return is_below(name, base);
  const std::string_view parent = std::string_view(name).substr(2);
  return is_below(parent, base) ||
         (base.starts_with('.') && is_below("x." + std::string(parent), base));
}

/// Whether any name that `name` stands for is below `base`.
bool meets(const std::string& name, const std::string& base) {
  if (!name.starts_with("*.")) return is_below(name, base);
  const std::string_view parent = std::string_view(name).substr(2);
  const std::string_view without_dot =
      base.starts_with('.') ? std::string_view(base).substr(1) : std::string_view(base);
  return is_below(parent, base) || is_below("x." + std::string(parent), base) ||
         is_below(without_dot, parent);
}

bool is_in(const std::vector<std::uint8_t>& address, const std::vector<std::uint8_t>& range) {
  if (range.size() != 2 * address.size()) return false;
  for (std::size_t i = 0; i < address.size(); ++i) {
    const std::uint8_t mask = range[address.size() + i];
    if ((address[i] & mask) != (range[i] & mask)) return false;
  }
  return true;
}

template <class Name, class Base, class Permitted, class Meets>
bool all_allowed(const std::vector<Name>& names, const std::vector<Base>& permitted,
                 const std::vector<Base>& excluded, Permitted is_permitted_by, Meets meets_one) {
  return std::ranges::all_of(names, [&](const Name& name) {
    const auto allows = [&](const Base& base) { return is_permitted_by(name, base); };
    const auto excludes = [&](const Base& base) { return meets_one(name, base); };
    return (permitted.empty() || std::ranges::any_of(permitted, allows)) &&
           std::ranges::none_of(excluded, excludes);
  });
}

std::vector<std::string> normalised(const std::vector<std::string>& names) {
  std::vector<std::string> result;
  for (const std::string& name : names) result.push_back(normalised(std::string_view(name)));
  return result;
}

}  // namespace

bool are_allowed(const ConstrainedNames& names, const NameConstraints& constraints) {
  return all_allowed(normalised(names.dns), normalised(constraints.permitted.dns),
                     normalised(constraints.excluded.dns), is_permitted, meets) &&
         all_allowed(names.ip, constraints.permitted.ip, constraints.excluded.ip, is_in, is_in);
}

}  // namespace livetls
