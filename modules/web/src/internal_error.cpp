#include "internal_error.hpp"

#include "livetls/base/error.hpp"
#include "livetls/base/log.hpp"

namespace livetls::web {

std::string describe(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    return error.what();
  } catch (const Error& error) {
    return error.message();
  } catch (...) {
    return "an exception of unknown type";
  }
}

Response internal_error(const Request& request, std::string_view reason) {
  log(LogLevel::error, "request " + request.id() + ", " + request.method_text + " " +
                           std::string(request.path()) + ", failed: " + std::string(reason));
  return Response::problem(500, "request " + request.id());
}

}  // namespace livetls::web
