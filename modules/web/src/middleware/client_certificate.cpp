#include "livetls/web/middleware/client_certificate.hpp"

#include <utility>

#include "livetls/net/connection.hpp"
#include "livetls/web/response.hpp"

namespace livetls::web {

Middleware require_client_certificate(std::function<bool(const CertificateInfo&)> allow) {
  return [allow = std::move(allow)](Request& request, Next next) -> Task<Response> {
    if (!request.has_connection() || !request.connection().peer_is_verified()) {
      co_return Response::problem(403, "a client certificate is needed");
    }
    auto peer = request.connection().peer_certificate();
    if (!peer || (allow && !allow(*peer))) {
      co_return Response::problem(403, "this client certificate is not enough");
    }
    request.set(*std::move(peer));
    co_return co_await next(request);
  };
}

}  // namespace livetls::web
