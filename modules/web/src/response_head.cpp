#include "response_head.hpp"

#include <charconv>

#include "ascii.hpp"
#include "http_date.hpp"

namespace livetls::web {
namespace {

void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), number).ptr;
  out.append(digits, end);
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string_view unsendable(const Response& response) noexcept {
  if (response.status_code < 200 || response.status_code > 599) {
    return "the status code is not from 200 to 599";
  }
  if (response.headers.contains("Content-Length")) return "the handler set Content-Length";
  if (response.headers.contains("Transfer-Encoding")) return "the handler set Transfer-Encoding";
  return {};
}

bool may_have_body(int status_code) noexcept { return status_code != 204 && status_code != 304; }

void append_head(std::string& out, const Response& response, Framing framing,
                 std::string_view connection) {
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::size_t>(response.status_code));
  out.append(" ").append(reason_phrase(response.status_code)).append("\r\n");

  for (const auto& [name, value] : response.headers) {
    if (equal_ignoring_case(name, "Connection")) continue;
    append_field(out, name, value);
  }
  if (!response.headers.contains("Date")) {
    const auto now = std::chrono::system_clock::now();
    append_field(out, "Date", http_date(std::chrono::floor<std::chrono::seconds>(now)));
  }
  if (may_have_body(response.status_code) && framing == Framing::length) {
    out += "Content-Length: ";
    append_number(out, response.stream ? *response.stream_bytes : response.body.size());
    out += "\r\n";
  }
  if (may_have_body(response.status_code) && framing == Framing::chunked) {
    out += "Transfer-Encoding: chunked\r\n";
  }
  if (!connection.empty()) append_field(out, "Connection", connection);
  out += "\r\n";
}

}  // namespace livetls::web
