#include "livetls/web/middleware/gzip.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>

#include "ascii.hpp"
#include "header_parameters.hpp"
#include "livetls/web/response.hpp"

namespace livetls::web {
namespace {

/// Takes what is before the first `separator` off a list.
std::string_view take(std::string_view& list, char separator) {
  const std::string_view element = list.substr(0, list.find(separator));
  list.remove_prefix(std::min(list.size(), element.size() + 1));
  return trimmed(element);
}

/// The weight of one coding (RFC 9110, section 12.4.2); of a malformed one, 0.
double weight(std::string_view parameters) {
  double q = 1;
  while (!parameters.empty()) {
    const std::string_view parameter = take(parameters, ';');
    if (parameter.size() < 2 || lower(parameter[0]) != 'q' || parameter[1] != '=') continue;
    const auto* end = parameter.data() + parameter.size();
    if (std::from_chars(parameter.data() + 2, end, q).ptr != end) q = 0;
  }
  return q;
}

/// RFC 9110, section 12.5.3.
bool takes_gzip(std::string_view accept) {
  double any = 0;
  while (!accept.empty()) {
    std::string_view parameters = take(accept, ',');
    const std::string_view coding = take(parameters, ';');
    if (equal_ignoring_case(coding, "gzip")) return weight(parameters) > 0;
    if (coding == "*") any = weight(parameters);
  }
  return any > 0;
}

bool gains(std::string_view content_type) {
  const std::string type = lower(without_parameters(content_type));
  constexpr std::array<std::string_view, 6> kTypes = {
      "application/json", "application/javascript",   "application/xml",
      "application/wasm", "application/problem+json", "image/svg+xml"};
  return type.starts_with("text/") || type.ends_with("+json") || type.ends_with("+xml") ||
         std::ranges::find(kTypes, type) != kTypes.end();
}

bool may_be_changed(const Response& response) {
  const Headers& headers = response.headers;
  return response.status_code != 206 && !response.stream && !headers.contains("Content-Encoding") &&
         !headers.contains("Content-Range") &&
         headers["Cache-Control"].find("no-transform") == std::string_view::npos;
}

/// Empty where it fails.
std::string compressed(std::string_view text, int level) {
  constexpr int kGzip = 16;  // zlib's way of saying so
  z_stream stream{};
  if (deflateInit2(&stream, level, Z_DEFLATED, MAX_WBITS + kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    return {};
  }
  std::string result(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  const bool whole = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  result.resize(whole ? stream.total_out : 0);
  deflateEnd(&stream);
  return result;
}

/// The bytes are others, the meaning is the same (RFC 9110, section 8.8.1).
void weaken_etag(Headers& headers) {
  const std::string tag(headers["ETag"]);
  if (!tag.empty() && !tag.starts_with("W/")) headers.set("ETag", "W/" + tag);
}

}  // namespace

Middleware gzip(GzipOptions options) {
  return [options](Request& request, Next next) -> Task<Response> {
    constexpr std::size_t kMaxBytes = 1U << 30;  // zlib counts in 32 bits
    const bool taken = takes_gzip(request.headers["Accept-Encoding"]);
    Response response = co_await next(request);
    const std::size_t size = response.body.size();
    if (size < options.min_bytes || size > kMaxBytes || !may_be_changed(response) ||
        !gains(response.headers["Content-Type"])) {
      co_return response;
    }
    response.headers.add("Vary", "Accept-Encoding");
    if (!taken) co_return response;
    std::string smaller = compressed(response.body, options.level);
    if (smaller.empty() || smaller.size() >= size) co_return response;
    response.body = std::move(smaller);
    response.headers.set("Content-Encoding", "gzip");
    weaken_etag(response.headers);
    co_return response;
  };
}

}  // namespace livetls::web
