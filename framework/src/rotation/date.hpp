#pragma once

#include <chrono>
#include <string>

namespace livetls {

/// "2026-11-24", in UTC.
std::string date(std::chrono::sys_seconds time);

/// "2026-11-24 20:15:00 UTC"
std::string date_and_time(std::chrono::sys_seconds time);

}  // namespace livetls
