#pragma once

#include <chrono>
#include <string_view>

namespace livetls::web {

/// The time of day as the Date header has it, made once a second for each thread. It ends with the
/// thread's next call.
std::string_view http_date(std::chrono::sys_seconds time);

}  // namespace livetls::web
