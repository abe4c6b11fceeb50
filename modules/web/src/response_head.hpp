#pragma once

#include <string>
#include <string_view>

#include "livetls/web/response.hpp"

namespace livetls::web {

/// Why a response cannot be sent as it is, for the operator; empty where it can.
std::string_view unsendable(const Response& response) noexcept;

/// Whether the status allows a body (RFC 9110, section 6.4.1).
bool may_have_body(int status_code) noexcept;

/// How the client finds the end of the body.
enum class Framing { length, chunked, end_of_connection };

/// Appends the status line and all fields. `connection` is the value of the Connection field, which
/// replaces what the handler set; empty: no such field.
void append_head(std::string& out, const Response& response, Framing framing,
                 std::string_view connection);

}  // namespace livetls::web
