#pragma once

#include <exception>
#include <string>
#include <string_view>

#include "livetls/web/request.hpp"
#include "livetls/web/response.hpp"

namespace livetls::web {

/// What an exception says, whatever it is.
std::string describe(const std::exception_ptr& thrown);

/// A 500 that tells the client the request's id. The operator's log gets it, too, with the reason.
Response internal_error(const Request& request, std::string_view reason);

}  // namespace livetls::web
