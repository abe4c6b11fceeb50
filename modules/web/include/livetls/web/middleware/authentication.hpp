#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "livetls/web/middleware.hpp"

namespace livetls::web {

/// Whether these are the right ones. It may put who it is into the request (Request::set).
using CheckPassword =
    std::function<Task<bool>(Request&, std::string_view user, std::string_view password)>;
using CheckToken = std::function<Task<bool>(Request&, std::string_view token)>;

/// Asks for a name and a password (RFC 7617), which come with every request. Others get a 401.
Middleware basic_auth(std::string realm, CheckPassword check);

/// Asks for a token (RFC 6750). Others get a 401.
Middleware bearer_auth(CheckToken check);

/// Compares in a time that tells nothing but the lengths.
bool equal_secrets(std::string_view a, std::string_view b) noexcept;

}  // namespace livetls::web
