#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "livetls/async/task.hpp"
#include "livetls/web/headers.hpp"

namespace livetls {
class Connection;
}

namespace livetls::web {

class Request;

/// Takes a body in pieces, while it is made.
class BodyWriter {
 public:
  virtual ~BodyWriter() = default;

  /// Waits until the client has taken enough: whoever makes the body is slowed down to it. Throws
  /// ConnectionLost where it has gone, or takes nothing for the server's write_timeout.
  virtual Task<void> write(std::string_view piece) = 0;

  /// The server is being stopped: come to an end.
  virtual bool stopping() const noexcept = 0;

  /// Returns when that begins.
  virtual Task<void> stopped() = 0;
};

/// Makes a body. It is called once, when the header has been sent, and not at all for HEAD. What it
/// throws cuts the connection, so that the client cannot take the part for the whole.
using BodyProducer = std::function<Task<void>(BodyWriter&)>;

/// Has the connection for itself, in place of a response; `early` was read from it already. When it
/// ends, the connection does.
using Takeover = std::function<Task<void>(Connection&, const Request&, std::string early)>;

/// What a handler answers.
///
/// The server adds Date (where the handler did not set one), Content-Length or Transfer-Encoding,
/// and Connection. A handler may set `Connection: close` to have the connection closed, and may not
/// set Content-Length or Transfer-Encoding: the client gets a 500 and the operator a message. The
/// body of an answer to HEAD, and of a 204 or 304, is not sent.
struct Response {
  int status_code = 200;  ///< 200 to 599
  Headers headers = {};
  std::string body = {};

  /// Instead of `body`.
  BodyProducer stream = {};

  /// What `stream` will write, in bytes, where that is known.
  std::optional<std::uint64_t> stream_bytes = {};

  /// Instead of all else: see websocket.hpp.
  Takeover takeover = {};

  /// text/plain in UTF-8
  static Response text(std::string body, int status_code = 200);

  /// application/json; `#include <boost/json.hpp>` to make values.
  static Response json(const boost::json::value& value, int status_code = 200);

  /// application/problem+json (RFC 9457) with the status, its name, and a detail for the client.
  static Response problem(int status_code, std::string_view detail = {});

  /// A body that is made while it is sent:
  ///
  ///     return Response::streamed("text/csv", [rows](BodyWriter& out) -> Task<void> {
  ///       for (const Row& row : rows) co_await out.write(row.csv());
  ///     });
  static Response streamed(std::string_view content_type, BodyProducer stream);

  /// A status alone; from 400 on with its name as a text.
  static Response status(int status_code);
};

/// "Not Found" for 404; empty for a status that has no registered name.
std::string_view reason_phrase(int status_code) noexcept;

}  // namespace livetls::web
