// What is refused here, beyond Beast: everything about which two servers in a row might disagree
// where a request ends or whom it is for. Folded fields, Content-Length beside Transfer-Encoding or
// given twice, another coding than chunked, a missing or second Host, dot segments. Fields after a
// chunked body are dropped: a handler must not take them for the header's.

#include "request_parser.hpp"

#include <algorithm>
#include <boost/beast/http/error.hpp>
#include <functional>
#include <stdexcept>

#include "ascii.hpp"
#include "percent_decode.hpp"

namespace livetls::web {

namespace http = boost::beast::http;

namespace {

/// Bodies grow as their bytes arrive, whatever length was announced.
constexpr std::uint64_t kMaxReserve = 64 * 1024;

bool is_decimal(char c) { return c >= '0' && c <= '9'; }

/// Beast says bad_version for everything behind the target that it does not know.
bool has_well_formed_version(std::string_view input) {
  const std::string_view line = input.substr(0, input.find_first_of("\r\n"));
  if (line.size() < 8 || !input.substr(line.size()).starts_with("\r\n")) return false;
  const std::string_view version = line.substr(line.size() - 8);
  return version.starts_with("HTTP/") && is_decimal(version[5]) && version[6] == '.' &&
         is_decimal(version[7]);
}

int status_for(const boost::system::error_code& error, std::string_view input) {
  if (error == http::error::header_limit) return 431;
  if (error == http::error::bad_version && has_well_formed_version(input)) return 505;
  return 400;
}

/// Takes scheme and authority off an absolute URI (RFC 9112, section 3.2.2).
std::string take_authority(std::string_view& target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(scheme.size());
    const std::string_view authority = target.substr(0, target.find_first_of("/?"));
    target.remove_prefix(authority.size());
    return std::string(authority);
  }
  return {};
}

bool is_dot_segment(std::string_view segment) { return segment == "." || segment == ".."; }

/// No path leads out of where it begins, however it is written.
bool is_safe_path(std::string_view path) {
  const auto decoded = percent_decode(path);
  if (!decoded) return false;
  std::string_view rest = *decoded;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view segment = rest.substr(0, rest.find('/'));
    if (is_dot_segment(segment)) return false;
    rest.remove_prefix(segment.size());
  }
  return true;
}

bool needs_decoding(char c) { return c == '%' || static_cast<signed char>(c) < 0; }

bool is_acceptable(Method method, std::string_view target) {
  if (target == "*") return method == Method::options;
  if (!target.starts_with('/') || target.find('#') != target.npos) return false;
  const std::string_view path = target.substr(0, target.find('?'));
  const bool plain = std::ranges::none_of(target, needs_decoding) && path.find("/.") == path.npos;
  return plain || (is_safe_path(path) && percent_decode(target));
}

/// What RFC 3986 lets a host and port be written with; no user, path or second host.
bool is_host_char(char c) {
  const char l = lower(c);
  return (l >= 'a' && l <= 'z') || is_decimal(c) ||
         std::string_view("-._~!$&'()*+;=:[]%").find(c) != std::string_view::npos;
}

}  // namespace

RequestParser::RequestParser(Request& request, std::size_t max_header_bytes,
                             std::size_t max_header_fields)
    : request_(request),
      max_header_bytes_(max_header_bytes),
      max_header_fields_(max_header_fields) {
  header_limit(static_cast<std::uint32_t>(max_header_bytes));
  body_limit(boost::none);
}

void RequestParser::body_goes_to(std::string& into, std::uint64_t max_bytes) {
  eager(true);
  body_ = &into;
  max_body_bytes_ = max_bytes;
  const auto announced = content_length();
  if (announced && *announced > max_bytes) refusal_ = 413;
}

/// Beast asserts that a last chunk which it sees for the second time has five bytes, as it has
/// where a chunk came before it. No chunked body is shorter.
bool RequestParser::may_be_short_last_chunk(std::string_view bytes) const {
  constexpr std::size_t kShortestBody = std::string_view("0\r\n\r\n").size();
  return is_header_done() && chunked() && !chunk_seen_ && bytes.size() < kShortestBody &&
         bytes.starts_with('0');
}

std::size_t RequestParser::take(boost::asio::const_buffer bytes) {
  const std::string_view text(static_cast<const char*>(bytes.data()), bytes.size());
  if (may_be_short_last_chunk(text)) return 0;
  input_ = bytes;
  ErrorCode error;
  const std::size_t taken = put(bytes, error);
  if (error && error != http::error::need_more && refusal_ == 0) {
    refusal_ = status_for(error, text);
  }
  return taken;
}

std::optional<std::uint64_t> RequestParser::missing_bytes() const {
  if (is_done()) return 0;
  const auto missing = content_length_remaining();
  return missing ? std::optional<std::uint64_t>(*missing) : std::nullopt;
}

void RequestParser::refuse(int status, ErrorCode& error) {
  refusal_ = status;
  error = http::error::bad_field;
}

void RequestParser::on_request_impl(http::verb, Text method, Text target, int version,
                                    ErrorCode& error) {
  header_bytes_ = method.size() + target.size();
  is_http_1_0_ = version == 10;
  request_.method = method_from(method);
  request_.method_text = method;

  std::string_view local = target;
  authority_ = take_authority(local);
  request_.target = local;
  if (!authority_.empty() && !local.starts_with('/')) request_.target.insert(0, 1, '/');
  if (!is_acceptable(request_.method, request_.target)) refuse(400, error);
}

void RequestParser::on_field_impl(http::field, Text name, Text value, ErrorCode& error) {
  // Beast's limit is for what it holds at one time, and it lets go of fields as they come.
  header_bytes_ += name.size() + value.size() + std::string_view(": \r\n").size();
  if (header_bytes_ > max_header_bytes_) return refuse(431, error);
  if (was_folded(name, value)) return refuse(400, error);
  if (is_header_done()) return;  // a trailer
  if (request_.headers.size() == max_header_fields_) return refuse(431, error);
  try {
    request_.headers.add(name, value);
  } catch (const std::invalid_argument&) {
    refuse(400, error);
  }
}

/// Beast unfolds a value (RFC 9112, section 5.2): into a buffer of its own, or, where the first
/// line has only the name, by passing over the line break.
bool RequestParser::was_folded(Text name, Text value) const {
  const auto* input = static_cast<const char*>(input_.data());
  const std::less<const char*> before;
  if (before(value.data(), input) || !before(value.data(), input + input_.size())) return true;
  return std::find(name.end(), value.begin(), '\n') != value.begin();
}

void RequestParser::on_header_impl(ErrorCode& error) {
  request_.keep_alive = keep_alive();
  int status = check_host();
  if (status == 0) status = check_length();
  if (status == 0) status = check_expectation();
  if (status != 0) refuse(status, error);
}

int RequestParser::check_host() const {
  const std::size_t count = request_.headers.count("Host");
  if (count > 1 || (count == 0 && !is_http_1_0_)) return 400;
  const std::string_view host = request_.headers["Host"];
  if (!std::ranges::all_of(host, is_host_char)) return 400;
  if (!authority_.empty() && !equal_ignoring_case(authority_, host)) return 400;
  return 0;
}

int RequestParser::check_length() const {
  const Headers& headers = request_.headers;
  const std::size_t lengths = headers.count("Content-Length");
  const std::size_t codings = headers.count("Transfer-Encoding");
  if (lengths + codings > 1) return 400;
  if (lengths == 1 && !std::ranges::all_of(headers["Content-Length"], is_decimal)) return 400;
  if (codings == 1 && is_http_1_0_) return 400;
  if (codings == 1 && !equal_ignoring_case(headers["Transfer-Encoding"], "chunked")) return 501;
  return 0;
}

int RequestParser::check_expectation() {
  const auto expectation = request_.headers.find("Expect");
  if (!expectation || is_http_1_0_) return 0;
  if (!equal_ignoring_case(*expectation, "100-continue")) return 417;
  expects_continue_ = true;
  return 0;
}

void RequestParser::on_body_init_impl(const boost::optional<std::uint64_t>& length, ErrorCode&) {
  if (length)
    body_->reserve(body_->size() + static_cast<std::size_t>(std::min(*length, kMaxReserve)));
}

void RequestParser::on_chunk_header_impl(std::uint64_t size, Text, ErrorCode& error) {
  chunk_seen_ = true;
  if (size > max_body_bytes_ || body_bytes_ > max_body_bytes_ - size) refuse(413, error);
}

std::size_t RequestParser::on_body_impl(Text bytes, ErrorCode& error) {
  return take_body(bytes, error);
}

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, Text bytes, ErrorCode& error) {
  return take_body(bytes, error);
}

std::size_t RequestParser::take_body(Text bytes, ErrorCode& error) {
  if (bytes.size() + body_bytes_ > max_body_bytes_) {
    refuse(413, error);
    return 0;
  }
  body_bytes_ += bytes.size();
  body_->append(bytes.data(), bytes.size());
  return bytes.size();
}

}  // namespace livetls::web
