#include "livetls/web/middleware/body_limit.hpp"

#include "livetls/web/response.hpp"

namespace livetls::web {

Middleware body_limit(std::uint64_t max_bytes) {
  return [max_bytes](Request& request, Next next) -> Task<Response> {
    request.max_body_bytes = max_bytes;
    co_return co_await next(request);
  };
}

}  // namespace livetls::web
