#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>

#include "livetls/web/headers.hpp"

namespace livetls::web {

/// What a handler answers.
///
/// The server adds Date (where the handler did not set one), Content-Length and Connection. A
/// handler may set `Connection: close` to have the connection closed, and may not set
/// Content-Length or Transfer-Encoding: the client gets a 500 and the operator a message. The body
/// of an answer to HEAD, and of a 204 or 304, is not sent.
struct Response {
  int status_code = 200;  ///< 200 to 599
  Headers headers;
  std::string body;

  /// text/plain in UTF-8
  static Response text(std::string body, int status_code = 200);

  /// application/json; `#include <boost/json.hpp>` to make values.
  static Response json(const boost::json::value& value, int status_code = 200);

  /// A status alone; from 400 on with its name as a text.
  static Response status(int status_code);
};

/// "Not Found" for 404; empty for a status that has no registered name.
std::string_view reason_phrase(int status_code) noexcept;

}  // namespace livetls::web
