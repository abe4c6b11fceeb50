#include "livetls/web/middleware/cors.hpp"

#include <algorithm>
#include <boost/algorithm/string/join.hpp>
#include <stdexcept>
#include <utility>

#include "livetls/web/response.hpp"

namespace livetls::web {
namespace {

/// What a response to an allowed origin says in any case.
void allow(Response& response, const CorsOptions& options, bool all, std::string_view origin) {
  response.headers.set("Access-Control-Allow-Origin", all ? "*" : origin);
  if (options.credentials) response.headers.set("Access-Control-Allow-Credentials", "true");
}

}  // namespace

Middleware cors(CorsOptions options) {
  const bool all = std::ranges::find(options.origins, "*") != options.origins.end();
  if (all && options.credentials) {
    throw std::invalid_argument("cors: credentials are not for all origins; name those that are");
  }
  const std::string methods = boost::join(options.methods, ", ");
  const std::string headers = boost::join(options.headers, ", ");
  const std::string exposed = boost::join(options.exposed, ", ");
  return [options = std::move(options), all, methods, headers, exposed](
             Request& request, Next next) -> Task<Response> {
    const std::string origin(request.headers["Origin"]);
    const bool allowed = !origin.empty() && (all || std::ranges::find(options.origins, origin) !=
                                                        options.origins.end());
    const bool preflight = request.method == Method::options && !origin.empty() &&
                           request.headers.contains("Access-Control-Request-Method");
    Response response = Response::status(204);
    if (!preflight) response = co_await next(request);
    if (!all) response.headers.add("Vary", "Origin");
    if (!allowed) co_return response;
    allow(response, options, all, origin);
    if (preflight) {
      response.headers.set("Access-Control-Allow-Methods", methods);
      response.headers.set("Access-Control-Allow-Headers", headers);
      response.headers.set("Access-Control-Max-Age", std::to_string(options.max_age.count()));
    } else if (!exposed.empty()) {
      response.headers.set("Access-Control-Expose-Headers", exposed);
    }
    co_return response;
  };
}

}  // namespace livetls::web
