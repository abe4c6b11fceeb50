#pragma once

#include <cstdint>

#include "livetls/web/middleware.hpp"

namespace livetls::web {

/// What bodies may have, in bytes, instead of the server's max_body_bytes.
Middleware body_limit(std::uint64_t max_bytes);

}  // namespace livetls::web
