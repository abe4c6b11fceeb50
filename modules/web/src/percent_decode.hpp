#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace livetls::web {

/// Nothing for a malformed escape or an encoded NUL.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

}  // namespace livetls::web
