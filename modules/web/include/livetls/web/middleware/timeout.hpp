#pragma once

#include <chrono>

#include "livetls/web/middleware.hpp"

namespace livetls::web {

/// What is inside is cancelled after `limit`, and the client gets a 503. Receiving the body counts.
/// A handler that does not wait for anything cannot be cancelled.
Middleware timeout(std::chrono::steady_clock::duration limit);

}  // namespace livetls::web
