#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace livetls::web {

/// The time of day as the Date header has it, made once a second for each thread. It ends with the
/// thread's next call.
std::string_view http_date(std::chrono::sys_seconds time);

/// Of the format that is sent today (RFC 9110, section 5.6.7); nothing for others.
std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text);

}  // namespace livetls::web
