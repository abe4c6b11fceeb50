#include "livetls/web/handler.hpp"

namespace livetls::web {

Task<Response> Handler::operator()(Request& request) const {
  if (const auto* coroutine = std::get_if<Coroutine>(&callable_)) return (*coroutine)(request);
  return call(std::get<Function>(callable_), request);
}

Task<Response> Handler::call(const Function& function, Request& request) {
  co_return function(request);
}

}  // namespace livetls::web
