#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace livetls::web {

bool is_utf8(std::string_view text);

/// Nothing for a malformed escape, an encoded NUL, or what is no UTF-8.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

/// Takes the next `name=value` off what `&` separates, and leaves it encoded.
struct EncodedPair {
  std::string_view name;
  std::string_view value;
};
EncodedPair take_pair(std::string_view& rest);

}  // namespace livetls::web
