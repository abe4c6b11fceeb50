#include "livetls/web/redirect.hpp"

#include <utility>

namespace livetls::web {

Router redirect_to_https(RedirectOptions options) {
  Router router;
  router.use([options = std::move(options)](Request& request, Next) -> Task<Response> {
    const std::string_view host = options.host.empty() ? request.host() : options.host;
    if (host.empty() || !request.target.starts_with('/')) co_return Response::status(400);
    Response response = Response::status(308);
    std::string location = "https://" + std::string(host);
    if (options.port != 443) location += ":" + std::to_string(options.port);
    response.headers.set("Location", location + request.target);
    co_return response;
  });
  return router;
}

}  // namespace livetls::web
