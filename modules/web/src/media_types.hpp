#pragma once

#include <string_view>

namespace livetls::web {

/// By the extension of a file's name; application/octet-stream where that is unknown.
std::string_view media_type(std::string_view file_name) noexcept;

}  // namespace livetls::web
