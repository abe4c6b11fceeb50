#include "livetls/web/middleware/security_headers.hpp"

#include <utility>

#include "livetls/net/connection.hpp"
#include "livetls/web/response.hpp"

namespace livetls::web {
namespace {

void set_unless_there(Headers& headers, std::string_view name, std::string_view value) {
  if (!value.empty() && !headers.contains(name)) headers.set(name, value);
}

std::string hsts_of(const SecurityHeadersOptions& options) {
  if (options.hsts <= std::chrono::seconds::zero()) return {};
  return "max-age=" + std::to_string(options.hsts.count()) +
         (options.hsts_subdomains ? "; includeSubDomains" : "");
}

}  // namespace

Middleware security_headers(SecurityHeadersOptions options) {
  const std::string hsts = hsts_of(options);
  return [options = std::move(options), hsts](Request& request, Next next) -> Task<Response> {
    Response response = co_await next(request);
    Headers& headers = response.headers;
    if (request.has_connection() && request.connection().is_tls()) {
      set_unless_there(headers, "Strict-Transport-Security", hsts);
    }
    set_unless_there(headers, "Content-Security-Policy", options.content_security_policy);
    set_unless_there(headers, "Referrer-Policy", options.referrer_policy);
    set_unless_there(headers, "X-Frame-Options", options.frame_options);
    set_unless_there(headers, "X-Content-Type-Options", options.no_sniff ? "nosniff" : "");
    co_return response;
  };
}

}  // namespace livetls::web
