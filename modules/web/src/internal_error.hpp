#pragma once

#include <string_view>

#include "livetls/web/request.hpp"
#include "livetls/web/response.hpp"

namespace livetls::web {

/// A 500 that tells the client the request's id. The operator's log gets it, too, with the reason.
Response internal_error(const Request& request, std::string_view reason);

}  // namespace livetls::web
