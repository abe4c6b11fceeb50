// The life of one HTTP/1.1 connection. The buffer holds what has been read and not yet parsed: with
// pipelining, that may be the beginning of later requests. Everything about a single request is
// made anew for it, so that nothing of one can reach the next.

#include "session.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <charconv>
#include <chrono>
#include <exception>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "ascii.hpp"
#include "internal_error.hpp"
#include "livetls/base/describe.hpp"
#include "livetls/base/log.hpp"
#include "livetls/web/http_error.hpp"
#include "request_parser.hpp"
#include "response_head.hpp"

namespace livetls::web {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

namespace {

/// How much is read at once: while nothing has come yet, of a header, of a body.
constexpr std::size_t kFirstRead = 256;
constexpr std::size_t kHeaderRead = 4 * 1024;
constexpr std::size_t kBodyRead = 16 * 1024;

/// How much is written under one deadline.
constexpr std::size_t kWritePiece = 256 * 1024;

/// What is left of a body that nobody wants is read up to this, to keep the connection.
constexpr std::uint64_t kMaxDiscarded = 64 * 1024;

bool has_timed_out(const Result<std::size_t>& read) {
  return !read && read.error().code == asio::error::timed_out;
}

constexpr int kComplete = 0;
constexpr int kGone = -1;

Event refusal_of_header(int status) {
  switch (status) {
    case 408: return Event::header_timed_out;
    case 431: return Event::header_too_large;
    default: return Event::malformed;
  }
}

Event refusal_of_body(int status) {
  switch (status) {
    case 408: return Event::body_timed_out;
    case 413: return Event::body_too_large;
    default: return Event::malformed;
  }
}

/// Whether the host that is asked for has other rules for clients than the name that TLS was asked
/// for (RFC 9110, section 7.4): they would be passed by.
bool asks_around_client_auth(const Connection& connection, const CertManager& manager,
                             std::string_view host) {
  const Served* served = connection.served();
  if (served == nullptr || equal_ignoring_case(host, connection.server_name())) return false;
  return manager.client_auth(host) != served->context->policy().client_auth;
}

Framing framing_of(const Response& response, bool to_http_1_0) {
  if (!response.stream || response.stream_bytes) return Framing::length;
  return to_http_1_0 ? Framing::end_of_connection : Framing::chunked;
}

class Session {
 public:
  Session(Connection& connection, const Site& site)
      : connection_(connection),
        site_(site),
        buffer_(std::max(site.options.max_header_bytes, kBodyRead) + kHeaderRead) {}

  Task<void> run();

 private:
  class Body;
  class StreamWriter;

  Task<bool> request_begins();
  bool is_last_call(const Result<std::size_t>& read);
  Task<bool> serve_request();
  Task<int> read_header(RequestParser& parser);
  Task<Result<std::size_t>> read_more(std::size_t bytes);
  bool is_misdirected(const Request& request) const;
  Task<Response> answer(Request& request);
  bool count_sent(const Result<void>& written);
  Task<bool> send(const Response& response, bool with_body, bool to_http_1_0,
                  std::string_view connection_field);
  Task<bool> send_stream(const Response& response, Framing framing);
  Task<bool> write(std::string_view first, std::string_view second = {},
                   std::string_view third = {});
  void skip_empty_lines();

  Connection& connection_;
  const Site& site_;
  boost::beast::flat_buffer buffer_;
  std::string head_;
  bool is_first_ = true;
  bool last_call_ = false;
  std::uint64_t requests_ = 0;
};

/// The body of one request, received when somebody wants it.
class Session::Body final : public BodySource {
 public:
  Body(Session& session, RequestParser& parser) : session_(session), parser_(parser) {}

  bool is_at_end() const noexcept override { return parser_.is_complete(); }
  Task<bool> receive(std::string& into, std::uint64_t max_bytes) override;

  /// What is left is little, and nobody waits to be told to send it.
  bool can_be_discarded() const;
  Task<bool> discard();

 private:
  Task<void> read_more();
  [[noreturn]] void refuse(int status, const std::string& why = {});
  Clock::duration patience() const;

  Session& session_;
  RequestParser& parser_;
  std::uint64_t received_ = 0;
  Clock::duration waited_{};
  bool has_begun_ = false;
  bool has_timed_out_ = false;
  bool is_refused_ = false;
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
  const bool is_first = std::exchange(is_first_, false);
  connection_.deadline().expires_after(is_first ? options.header_timeout : options.idle_timeout);
  for (;;) {
    skip_empty_lines();
    if (buffer_.size() > 0) co_return true;
    if (buffer_.capacity() > kHeaderRead) buffer_.shrink_to_fit();
    const Result<std::size_t> bytes = co_await read_more(kFirstRead);
    if (is_last_call(bytes)) continue;
    if (is_first && has_timed_out(bytes)) site_.counts.add(Event::header_timed_out);
    if (!bytes || *bytes == 0) co_return false;
  }
}

/// Whether the read was ended by a stop, and another is worth while.
bool Session::is_last_call(const Result<std::size_t>& read) {
  const bool stopped = !read && read.error().code == asio::error::operation_aborted;
  if (!stopped || !connection_.stopping() || std::exchange(last_call_, true)) return false;
  connection_.keep_reading_on_stop(true);
  connection_.deadline().expires_after(site_.options.last_call);
  return true;
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
  RequestParser parser(request, site_.options.max_header_bytes, site_.options.max_header_fields);
  Body body(*this, parser);
  request.receive_from(body, site_.options.max_body_bytes);
  const int status = co_await read_header(parser);
  if (status == kGone) {
    site_.counts.add(Event::client_gone);
    co_return false;
  }
  const bool with_body = request.method != Method::head;
  if (status != kComplete) {
    site_.counts.add(refusal_of_header(status));
    co_await send(Response::status(status), with_body, false, "close");
    co_return false;
  }

  if (parser.is_http_1_0()) request.headers.erase("Upgrade");  // RFC 9110, section 7.8
  site_.counts.add(Event::request);
  const bool client_stays = request.keep_alive && ++requests_ < site_.options.max_requests;
  const Response response = co_await answer(request);
  if (response.takeover) {
    std::string early(static_cast<const char*>(buffer_.cdata().data()), buffer_.size());
    co_await response.takeover(connection_, request, std::move(early));
    co_return false;
  }
  const bool old = parser.is_http_1_0();
  const bool keep = client_stays && !connection_.stopping() && body.can_be_discarded() &&
                    !response.headers.contains("Connection") &&
                    framing_of(response, old) != Framing::end_of_connection;
  const std::string_view spoken = old ? "keep-alive" : "";
  const bool sent = co_await send(response, with_body, old, keep ? spoken : "close");
  if (!sent || !keep) co_return false;
  if (body.is_at_end()) co_return true;
  co_return co_await body.discard();
}

/// kComplete, kGone, or the status to refuse the request with.
Task<int> Session::read_header(RequestParser& parser) {
  connection_.deadline().expires_after(site_.options.header_timeout);
  for (;;) {
    if (buffer_.size() > 0) buffer_.consume(parser.take(buffer_.cdata()));
    if (parser.refusal() != 0) co_return parser.refusal();
    if (parser.header_is_complete()) break;
    if (buffer_.size() == buffer_.max_size()) co_return 431;
    const Result<std::size_t> bytes = co_await read_more(kHeaderRead);
    if (!bytes) co_return has_timed_out(bytes) ? 408 : kGone;
    if (*bytes == 0) co_return kGone;
  }
  connection_.deadline().clear();
  co_return kComplete;
}

// ---- Bodies ------------------------------------------------------------------------------------

Task<bool> Session::Body::receive(std::string& into, std::uint64_t max_bytes) {
  if (parser_.refusal() != 0) refuse(parser_.refusal());
  if (parser_.is_complete()) co_return false;
  parser_.body_goes_to(into, max_bytes);
  const std::size_t before = into.size();
  for (;;) {
    auto& buffer = session_.buffer_;
    const bool more = parser_.refusal() == 0 && buffer.size() > 0;
    if (more) buffer.consume(parser_.take(buffer.cdata()));
    if (parser_.refusal() != 0) refuse(parser_.refusal());
    received_ += into.size() - before;
    if (into.size() > before) co_return true;
    if (parser_.is_complete()) co_return false;
    if (buffer.size() == buffer.max_size()) refuse(400, "a chunk's header is too long");
    co_await read_more();
  }
}

Task<void> Session::Body::read_more() {
  Connection& connection = session_.connection_;
  if (!std::exchange(has_begun_, true) && parser_.expects_continue()) {
    const bool sent = co_await session_.write("HTTP/1.1 100 Continue\r\n\r\n");
    if (!sent) throw ConnectionLost(asio::error::connection_reset);
  }
  const auto begin = Clock::now();
  connection.deadline().expires_after(patience());
  const Result<std::size_t> bytes = co_await session_.read_more(kBodyRead);
  connection.deadline().clear();
  waited_ += Clock::now() - begin;
  has_timed_out_ = has_timed_out(bytes);
  if (has_timed_out_) refuse(408);
  if (bytes && *bytes > 0) co_return;
  session_.site_.counts.add(Event::client_gone);
  throw ConnectionLost(bytes ? asio::error::eof : bytes.error().code);
}

void Session::Body::refuse(int status, const std::string& why) {
  RequestCounts& counts = session_.site_.counts;
  if (!std::exchange(is_refused_, true)) counts.add(refusal_of_body(status));
  throw HttpError(status, why);
}

/// A client that sends fast enough may send for ever, others may not.
Clock::duration Session::Body::patience() const {
  const ServerOptions& options = session_.site_.options;
  const auto earned = std::chrono::seconds(received_ / options.min_body_rate);
  const auto granted = std::min<Clock::duration>(options.body_timeout, Clock::duration::max() / 2);
  return std::max<Clock::duration>(granted + earned - waited_, Clock::duration(1));
}

bool Session::Body::can_be_discarded() const {
  if (parser_.refusal() != 0 || has_timed_out_) return false;
  const auto missing = parser_.missing_bytes();
  const bool is_held_back = parser_.expects_continue() && !has_begun_;
  return missing && (*missing == 0 || (*missing <= kMaxDiscarded && !is_held_back));
}

Task<bool> Session::Body::discard() {
  try {
    std::string discarded;
    bool more = true;
    while (more) {
      discarded.clear();
      more = co_await receive(discarded, std::numeric_limits<std::uint64_t>::max());
    }
    co_return true;
  } catch (const HttpError&) {
    co_return false;
  }
}

Task<Result<std::size_t>> Session::read_more(std::size_t bytes) {
  const std::size_t room = buffer_.max_size() - buffer_.size();
  Result<std::size_t> arrived =
      co_await connection_.read_some(buffer_.prepare(std::min(bytes, room)));
  if (arrived) buffer_.commit(*arrived);
  co_return arrived;
}

bool Session::is_misdirected(const Request& request) const {
  return site_.manager && asks_around_client_auth(connection_, *site_.manager, request.host());
}

Task<Response> Session::answer(Request& request) {
  if (is_misdirected(request)) {
    site_.counts.add(Event::misdirected);
    co_return Response::status(421);
  }
  Response response = co_await site_.router.handle(request);
  if (response.takeover) co_return response;
  const std::string_view reason = unsendable(response);
  if (!reason.empty()) response = internal_error(request, reason);
  if (response.status_code >= 500) site_.counts.add(Event::failed);
  co_return response;
}

// ---- Responses ---------------------------------------------------------------------------------

/// Whether the response was sent whole.
Task<bool> Session::send(const Response& response, bool with_body, bool to_http_1_0,
                         std::string_view connection_field) {
  const bool has_body = with_body && may_have_body(response.status_code);
  const Framing framing = framing_of(response, to_http_1_0);
  head_.clear();
  append_head(head_, response, framing, connection_field);
  if (response.stream) {
    const bool begun = co_await write(head_);
    if (!begun || !has_body) co_return begun;
    co_return co_await send_stream(response, framing);
  }
  // Head and body leave in one write: in one record, where they fit.
  std::string_view head = head_;
  std::string_view body = has_body ? std::string_view(response.body) : std::string_view();
  do {
    const std::string_view piece = body.substr(0, kWritePiece);
    const std::array<asio::const_buffer, 2> pieces = {asio::buffer(head), asio::buffer(piece)};
    connection_.deadline().expires_after(site_.options.write_timeout);
    const Result<void> written = co_await connection_.write(pieces);
    if (!count_sent(written)) co_return false;
    head = {};
    body.remove_prefix(piece.size());
  } while (!body.empty());
  connection_.deadline().clear();
  co_return true;
}

Task<bool> Session::write(std::string_view first, std::string_view second, std::string_view third) {
  const std::array<asio::const_buffer, 3> pieces = {asio::buffer(first), asio::buffer(second),
                                                    asio::buffer(third)};
  connection_.deadline().expires_after(site_.options.write_timeout);
  const Result<void> written = co_await connection_.write(pieces);
  connection_.deadline().clear();
  co_return count_sent(written);
}

bool Session::count_sent(const Result<void>& written) {
  if (written) return true;
  const bool timed_out = written.error().code == asio::error::timed_out;
  site_.counts.add(timed_out ? Event::write_timed_out : Event::client_gone);
  return false;
}

/// Writes a body as its framing wants it.
class Session::StreamWriter final : public BodyWriter {
 public:
  StreamWriter(Session& session, Framing framing, std::uint64_t max_bytes)
      : session_(session), framing_(framing), left_(max_bytes) {}

  Task<void> write(std::string_view bytes) override {
    if (bytes.size() > left_) throw std::length_error("it is longer than was said");
    while (!bytes.empty()) {  // an empty chunk would be the last
      const std::string_view piece = bytes.substr(0, kWritePiece);
      co_await write_piece(piece);
      bytes.remove_prefix(piece.size());
    }
  }

  bool stopping() const noexcept override { return session_.connection_.stopping(); }
  Task<void> stopped() override { return session_.connection_.stopped(); }
  std::uint64_t left() const noexcept { return left_; }

 private:
  Task<void> write_piece(std::string_view piece) {
    left_ -= piece.size();
    std::array<char, 20> size;
    std::string_view before, after;
    if (framing_ == Framing::chunked) {
      const auto end = std::to_chars(size.data(), size.data() + size.size() - 2, piece.size(), 16);
      *end.ptr = '\r';
      *(end.ptr + 1) = '\n';
      before = {size.data(), end.ptr + 2};
      after = "\r\n";
    }
    const bool taken = co_await session_.write(before, piece, after);
    if (!taken) throw ConnectionLost(asio::error::connection_reset);
  }

  Session& session_;
  const Framing framing_;
  std::uint64_t left_;
};

Task<bool> Session::send_stream(const Response& response, Framing framing) {
  const bool known = framing == Framing::length;
  StreamWriter writer(*this, framing,
                      known ? *response.stream_bytes : std::numeric_limits<std::uint64_t>::max());
  std::string failure;
  try {
    co_await response.stream(writer);
    if (known && writer.left() > 0) failure = "it is shorter than was said";
  } catch (const ConnectionLost&) {
    throw;
  } catch (...) {
    failure = describe(std::current_exception());
  }
  if (!failure.empty()) {
    if (!connection_.stopping()) log(LogLevel::error, "a streamed body failed: " + failure);
    connection_.cut();
    co_return false;
  }
  if (framing == Framing::chunked) co_return co_await write("0\r\n\r\n");
  co_return true;
}

}  // namespace

Task<void> serve(Connection& connection, std::shared_ptr<const Site> site) {
  Session session(connection, *site);
  try {
    co_await session.run();
  } catch (const ConnectionLost&) {  // there is nobody to tell
  }
}

}  // namespace livetls::web
