#include "livetls/web/middleware/access_log.hpp"

#include <array>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdio>
#include <utility>

#include "http_date.hpp"
#include "livetls/base/log.hpp"
#include "livetls/net/connection.hpp"
#include "livetls/web/response.hpp"

namespace livetls::web {
namespace {

using SystemTime = std::chrono::system_clock::time_point;

/// What there is to tell of one exchange.
struct Entry {
  SystemTime begun;
  std::chrono::microseconds took;
  std::string remote;
  std::string_view target;
  const Request& request;
  const Response& response;
};

std::string remote_of(const Request& request) {
  if (!request.has_connection()) return "-";
  const auto address = request.connection().remote_endpoint().address();
  return address.is_unspecified() ? "unix:" : address.to_string();
}

/// What could end the line or the quotation is written as \xHH.
std::string in_quotes(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\') {
      result += c;
    } else {
      std::array<char, 5> escaped;
      std::snprintf(escaped.data(), escaped.size(), "\\x%02x", byte);
      result += escaped.data();
    }
  }
  return result + '"';
}

/// Makes 10/Oct/2026:13:55:36 +0000 of Sat, 10 Oct 2026 13:55:36 GMT.
std::string common_time(SystemTime time) {
  const std::string date(http_date(std::chrono::floor<std::chrono::seconds>(time)));
  return date.substr(5, 2) + '/' + date.substr(8, 3) + '/' + date.substr(12, 4) + ':' +
         date.substr(17, 8) + " +0000";
}

std::string common_line(const Entry& entry) {
  const std::string request =
      entry.request.method_text + " " + std::string(entry.target) + " HTTP/1.1";
  const std::size_t bytes = entry.response.body.size();
  return entry.remote + " - - [" + common_time(entry.begun) + "] " + in_quotes(request) + " " +
         std::to_string(entry.response.status_code) + " " +
         (bytes == 0 ? "-" : std::to_string(bytes));
}

std::string json_line(const Entry& entry) {
  const auto since_epoch = std::chrono::duration<double>(entry.begun.time_since_epoch());
  const Request& request = entry.request;
  return boost::json::serialize(boost::json::object{
      {"time", since_epoch.count()},
      {"remote", entry.remote},
      {"host", request.host()},
      {"method", request.method_text},
      {"path", entry.target},
      {"route", request.route()},
      {"status", entry.response.status_code},
      {"bytes", entry.response.body.size()},
      {"us", entry.took.count()},
      {"id", request.id()},
      {"user_agent", request.headers["User-Agent"]},
      {"generation", request.has_connection() ? request.connection().generation() : 0}});
}

}  // namespace

Middleware access_log(AccessLogOptions options) {
  if (!options.write) {
    options.write = [](std::string_view line) { log(LogLevel::info, line); };
  }
  if (!options.now) options.now = std::chrono::system_clock::now;
  return [options = std::move(options)](Request& request, Next next) -> Task<Response> {
    const SystemTime begun = options.now();
    Response response = co_await next(request);
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(options.now() - begun);
    const Entry entry{begun,
                      took,
                      remote_of(request),
                      options.with_query ? std::string_view(request.target) : request.path(),
                      request,
                      response};
    options.write(options.format == AccessLogFormat::json ? json_line(entry) : common_line(entry));
    co_return response;
  };
}

}  // namespace livetls::web
