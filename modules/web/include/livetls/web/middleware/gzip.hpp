#pragma once

#include <cstddef>

#include "livetls/web/middleware.hpp"

namespace livetls::web {

struct GzipOptions {
  std::size_t min_bytes = 1024;  ///< below, it does not pay
  int level = 4;                 ///< 1 (fast) to 9 (small)
};

/// Compresses bodies for clients that take it, where their type gains by it and nothing is
/// compressed already. Leave it off answers that hold both a secret and what a stranger may choose:
/// their length would tell about the secret (BREACH).
Middleware gzip(GzipOptions options = {});

}  // namespace livetls::web
