// The life of one HTTP/1.1 connection. The buffer holds what has been read and not yet parsed: with
// pipelining, that may be the beginning of later requests. Everything about a single request is
// made anew for it, so that nothing of one can reach the next.

#include "session.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <string>
#include <string_view>

#include "livetls/base/log.hpp"
#include "request_parser.hpp"
#include "response_head.hpp"

namespace livetls::web {

namespace asio = boost::asio;

namespace {

/// How much is read at once: while nothing has come yet, of a header, of a body.
constexpr std::size_t kFirstRead = 256;
constexpr std::size_t kHeaderRead = 4 * 1024;
constexpr std::size_t kBodyRead = 16 * 1024;

/// How much is written under one deadline.
constexpr std::size_t kWritePiece = 256 * 1024;

constexpr int kComplete = 0;
constexpr int kGone = -1;

class Session {
 public:
  Session(Connection& connection, const Site& site)
      : connection_(connection),
        site_(site),
        buffer_(std::max(site.options.max_header_bytes, kBodyRead) + kHeaderRead) {}

  Task<void> run();

 private:
  Task<bool> request_begins();
  Task<bool> serve_request();
  Task<int> read(RequestParser& parser);
  Task<Result<std::size_t>> read_more(std::size_t bytes);
  Task<Response> answer(Request& request);
  Task<bool> send(const Response& response, bool with_body, std::string_view connection_field);
  void skip_empty_lines();

  Connection& connection_;
  const Site& site_;
  boost::beast::flat_buffer buffer_;
  std::string head_;
  bool is_first_ = true;
};

Task<void> Session::run() {
  bool go_on = co_await request_begins();
  while (go_on) {
    connection_.keep_reading_on_stop(true);
    go_on = co_await serve_request();
    connection_.keep_reading_on_stop(false);
    if (go_on) go_on = co_await request_begins();
  }
}

/// Waits for the first byte of a request.
Task<bool> Session::request_begins() {
  const ServerOptions& options = site_.options;
  connection_.deadline().expires_after(is_first_ ? options.header_timeout : options.idle_timeout);
  is_first_ = false;
  for (;;) {
    skip_empty_lines();
    if (buffer_.size() > 0) co_return true;
    if (buffer_.capacity() > kHeaderRead) buffer_.shrink_to_fit();
    const Result<std::size_t> bytes = co_await read_more(kFirstRead);
    if (!bytes || *bytes == 0) co_return false;
  }
}

/// RFC 9112, section 2.2: some clients end a body with a line break that does not belong to it.
void Session::skip_empty_lines() {
  const auto* begin = static_cast<const char*>(buffer_.cdata().data());
  const auto* end = begin + buffer_.size();
  const auto is_line_break = [](char c) { return c == '\r' || c == '\n'; };
  buffer_.consume(static_cast<std::size_t>(std::find_if_not(begin, end, is_line_break) - begin));
}

/// Whether a next request may follow.
Task<bool> Session::serve_request() {
  Request request(&connection_);
  RequestParser parser(request, site_.options.max_header_bytes, site_.options.max_body_bytes);
  const int status = co_await read(parser);
  if (status == kGone) co_return false;
  const bool with_body = request.method != Method::head;
  if (status != kComplete) {
    co_await send(Response::status(status), with_body, "close");
    co_return false;
  }

  connection_.deadline().clear();
  const bool client_stays = request.keep_alive;
  const Response response = co_await answer(request);
  const bool keep =
      client_stays && !connection_.stopping() && !response.headers.contains("Connection");
  const std::string_view spoken = parser.is_http_1_0() ? "keep-alive" : "";
  const bool sent = co_await send(response, with_body, keep ? spoken : "close");
  if (!sent) co_return false;
  co_return keep;
}

/// kComplete, kGone, or the status to refuse the request with.
Task<int> Session::read(RequestParser& parser) {
  connection_.deadline().expires_after(site_.options.header_timeout);
  bool in_body = false;
  for (;;) {
    if (buffer_.size() > 0) buffer_.consume(parser.take(buffer_.cdata()));
    if (parser.refusal() != 0) co_return parser.refusal();
    if (parser.is_complete()) co_return kComplete;
    if (buffer_.size() == buffer_.max_size()) co_return in_body ? 400 : 431;

    if (!in_body && parser.header_is_complete()) {
      in_body = true;
      connection_.deadline().expires_after(site_.options.body_timeout);
      if (parser.expects_continue()) {
        const Result<void> sent = co_await connection_.write("HTTP/1.1 100 Continue\r\n\r\n");
        if (!sent) co_return kGone;
      }
    }
    const Result<std::size_t> bytes = co_await read_more(in_body ? kBodyRead : kHeaderRead);
    if (!bytes) co_return bytes.error().code == asio::error::timed_out ? 408 : kGone;
    if (*bytes == 0) co_return kGone;
  }
}

Task<Result<std::size_t>> Session::read_more(std::size_t bytes) {
  const std::size_t room = buffer_.max_size() - buffer_.size();
  Result<std::size_t> arrived =
      co_await connection_.read_some(buffer_.prepare(std::min(bytes, room)));
  if (arrived) buffer_.commit(*arrived);
  co_return arrived;
}

/// The client learns nothing of what went wrong in a handler; the operator does.
Task<Response> Session::answer(Request& request) {
  std::string reason;
  try {
    Response response = co_await site_.router.handle(request);
    reason = unsendable(response);
    if (reason.empty()) co_return response;
  } catch (const boost::system::system_error& error) {
    if (error.code() == asio::error::operation_aborted && connection_.stopping()) throw;
    reason = error.what();
  } catch (const std::exception& error) {
    reason = error.what();
  } catch (...) {
    reason = "an exception of unknown type";
  }
  log(LogLevel::error, "handler of " + request.method_text + " " + std::string(request.path()) +
                           " failed: " + reason);
  co_return Response::status(500);
}

/// Head and body leave in one write: in one record, where they fit.
Task<bool> Session::send(const Response& response, bool with_body,
                         std::string_view connection_field) {
  head_.clear();
  append_head(head_, response, connection_field);
  std::string_view body;
  if (with_body && may_have_body(response.status_code)) body = response.body;

  std::string_view head = head_;
  do {
    const std::string_view piece = body.substr(0, kWritePiece);
    const std::array<asio::const_buffer, 2> pieces = {asio::buffer(head), asio::buffer(piece)};
    connection_.deadline().expires_after(site_.options.write_timeout);
    const Result<void> written = co_await connection_.write(pieces);
    if (!written) co_return false;
    head = {};
    body.remove_prefix(piece.size());
  } while (!body.empty());
  connection_.deadline().clear();
  co_return true;
}

}  // namespace

Task<void> serve(Connection& connection, std::shared_ptr<const Site> site) {
  Session session(connection, *site);
  co_await session.run();
}

}  // namespace livetls::web
