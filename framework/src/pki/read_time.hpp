#pragma once

#include <chrono>

#include "pki/der.hpp"

namespace livetls {

/// "YYMMDDHHMMSSZ" or "YYYYMMDDHHMMSSZ", the only forms that RFC 5280 allows.
std::chrono::sys_seconds read_time(der::Reader& reader);

}  // namespace livetls
