#pragma once

// Not <cctype>: the rules are those of ASCII, whatever the locale.

#include <algorithm>
#include <string>
#include <string_view>

namespace livetls {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
constexpr bool is_letter(char c) { return to_lower(c) >= 'a' && to_lower(c) <= 'z'; }

inline std::string to_lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) { return to_lower(c); });
  return lower;
}

/// As an error or a log may show it: nothing in it can forge a line.
inline std::string printable(std::string_view text) {
  std::string shown(text);
  const auto is_special = [](char c) { return c < ' ' || c > '~'; };
  std::ranges::replace_if(shown, is_special, '?');
  return shown;
}

}  // namespace livetls
