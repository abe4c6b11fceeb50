#pragma once

#include <string>

#include "livetls/web/middleware.hpp"

namespace livetls::web {

struct RequestIdOptions {
  std::string header = "X-Request-Id";

  /// Take the client's where it sends one of at most 64 letters, digits, '-', '_' and '.': for
  /// servers behind a proxy that has given one.
  bool trust_client = false;
};

/// Answers with the request's id, which logs and errors have, too.
Middleware request_id(RequestIdOptions options = {});

}  // namespace livetls::web
