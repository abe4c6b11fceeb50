#pragma once

#include <chrono>
#include <functional>
#include <string_view>

#include "livetls/web/middleware.hpp"

namespace livetls::web {

enum class AccessLogFormat {
  common,  ///< the NCSA's: 127.0.0.1 - - [10/Oct/2026:13:55:36 +0000] "GET /a HTTP/1.1" 200 2326
  json,    ///< an object a line: time, remote, method, path, route, status, bytes, us, id, …
};

struct AccessLogOptions {
  AccessLogFormat format = AccessLogFormat::common;

  /// Queries may hold what no log should.
  bool with_query = false;

  /// Takes a line without its end, on any server thread; empty: livetls's log, at `info`.
  std::function<void(std::string_view line)> write = {};

  /// Empty: the system's clock.
  std::function<std::chrono::system_clock::time_point()> now = {};
};

/// A line for every request, when its response is ready. It belongs outermost, so that it sees what
/// others answer. What comes from a client cannot end a line or a quotation.
Middleware access_log(AccessLogOptions options = {});

}  // namespace livetls::web
