#include "livetls/web/middleware/request_id.hpp"

#include <algorithm>
#include <utility>

#include "livetls/web/response.hpp"

namespace livetls::web {
namespace {

bool is_acceptable(std::string_view id) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  return !id.empty() && id.size() <= 64 && std::ranges::all_of(id, allowed);
}

}  // namespace

Middleware request_id(RequestIdOptions options) {
  return [options = std::move(options)](Request& request, Next next) -> Task<Response> {
    const std::string_view given = request.headers[options.header];
    if (options.trust_client && is_acceptable(given)) request.set_id(std::string(given));
    Response response = co_await next(request);
    response.headers.set(options.header, request.id());
    co_return response;
  };
}

}  // namespace livetls::web
