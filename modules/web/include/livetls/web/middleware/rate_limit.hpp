#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

#include "livetls/web/middleware.hpp"

namespace livetls::web {

struct RateLimitOptions {
  double per_second = 10;  ///< in the long run, for each key
  double burst = 20;       ///< at once, after a rest

  /// Who is counted together; empty: the client's address, of IPv6 its first 64 bits.
  std::function<std::string(const Request&)> key = {};

  /// Of the keys that were seen last so many are remembered; one that was forgotten is as after a
  /// rest.
  std::size_t max_keys = 100'000;

  /// Empty: the system's clock.
  std::function<std::chrono::steady_clock::time_point()> now = {};
};

/// A token bucket for each key. Above it a 429, with Retry-After.
Middleware rate_limit(RateLimitOptions options = {});

}  // namespace livetls::web
