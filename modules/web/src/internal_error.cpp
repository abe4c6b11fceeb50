#include "internal_error.hpp"

#include "livetls/base/log.hpp"

namespace livetls::web {

Response internal_error(const Request& request, std::string_view reason) {
  log(LogLevel::error, "request " + request.id() + ", " + request.method_text + " " +
                           std::string(request.path()) + ", failed: " + std::string(reason));
  return Response::problem(500, "request " + request.id());
}

}  // namespace livetls::web
