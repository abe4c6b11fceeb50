#pragma once

#include <chrono>
#include <string>

#include "livetls/web/middleware.hpp"

namespace livetls::web {

/// Each is left out where it is empty or zero, and where a handler has set its own.
struct SecurityHeadersOptions {
  /// Strict-Transport-Security (RFC 6797), over TLS only: for so long, browsers use nothing else.
  std::chrono::seconds hsts = std::chrono::hours(24 * 365);
  bool hsts_subdomains = false;

  std::string content_security_policy = "default-src 'self'; frame-ancestors 'none'";
  std::string referrer_policy = "strict-origin-when-cross-origin";
  std::string frame_options = "DENY";
  bool no_sniff = true;  ///< X-Content-Type-Options
};

/// Tells browsers to be careful.
Middleware security_headers(SecurityHeadersOptions options = {});

}  // namespace livetls::web
