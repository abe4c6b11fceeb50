#include "livetls/web/middleware/authentication.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <utility>

#include "ascii.hpp"
#include "livetls/web/response.hpp"

namespace livetls::web {
namespace {

/// What follows the scheme in the Authorization field; empty where that is another.
std::string_view credentials(const Request& request, std::string_view scheme) {
  std::string_view field = request.headers["Authorization"];
  if (request.headers.count("Authorization") != 1 || field.size() <= scheme.size() ||
      field[scheme.size()] != ' ' || !equal_ignoring_case(field.substr(0, scheme.size()), scheme)) {
    return {};
  }
  field.remove_prefix(scheme.size());
  field.remove_prefix(std::min(field.size(), field.find_first_not_of(' ')));
  return field;
}

std::optional<std::uint8_t> base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<std::uint8_t>(c - 'A');
  if (c >= 'a' && c <= 'z') return static_cast<std::uint8_t>(c - 'a' + 26);
  if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0' + 52);
  if (c == '+') return 62;
  if (c == '/') return 63;
  return std::nullopt;
}

/// RFC 4648, section 4, with or without its padding.
std::optional<std::string> base64_decoded(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const auto digit = base64_digit(c);
    if (!digit) return std::nullopt;
    bits = (bits << 6) | *digit;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>((bits >> count) & 0xff);
  }
  return bytes;
}

Response unauthorized(const std::string& challenge) {
  Response response = Response::status(401);
  response.headers.set("WWW-Authenticate", challenge);
  return response;
}

}  // namespace

Middleware basic_auth(std::string realm, CheckPassword check) {
  if (realm.find_first_of("\"\\") != realm.npos) {
    throw std::invalid_argument("a realm has no quotation marks and no backslashes");
  }
  const std::string challenge = "Basic realm=\"" + realm + "\", charset=\"UTF-8\"";
  return [challenge, check = std::move(check)](Request& request, Next next) -> Task<Response> {
    const auto given = base64_decoded(credentials(request, "Basic"));
    const std::size_t colon = given ? given->find(':') : std::string::npos;
    if (colon == std::string::npos) co_return unauthorized(challenge);
    const std::string_view both = *given;
    const bool right = co_await check(request, both.substr(0, colon), both.substr(colon + 1));
    if (!right) co_return unauthorized(challenge);
    co_return co_await next(request);
  };
}

Middleware bearer_auth(CheckToken check) {
  return [check = std::move(check)](Request& request, Next next) -> Task<Response> {
    const std::string token(credentials(request, "Bearer"));
    if (token.empty()) co_return unauthorized("Bearer");
    const bool right = co_await check(request, token);
    if (!right) co_return unauthorized("Bearer error=\"invalid_token\"");
    co_return co_await next(request);
  };
}

bool equal_secrets(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  volatile std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
  }
  return difference == 0;
}

}  // namespace livetls::web
