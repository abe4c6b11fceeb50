#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "livetls/web/middleware.hpp"

namespace livetls::web {

struct CorsOptions {
  /// Such as "https://app.example.com", compared as they are; {"*"}: all.
  std::vector<std::string> origins = {};

  std::vector<std::string> methods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
  std::vector<std::string> headers = {"Content-Type", "Authorization"};  ///< that may be sent
  std::vector<std::string> exposed = {};                                 ///< that may be read
  bool credentials = false;  ///< cookies and certificates are sent along; not for all origins
  std::chrono::seconds max_age = std::chrono::minutes(10);  ///< of the answer to a preflight
};

/// Lets pages of other origins use the API (Fetch Standard, section 3.2). Answers preflights by
/// itself. Throws std::invalid_argument for credentials with all origins.
Middleware cors(CorsOptions options);

}  // namespace livetls::web
