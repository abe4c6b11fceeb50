#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace livetls::web {

/// The value of a parameter, such as `boundary` in `multipart/form-data; boundary="a b"` (RFC 9110,
/// section 5.6.6), without its quotation.
std::optional<std::string> header_parameter(std::string_view field, std::string_view name);

/// What comes before the parameters.
std::string_view without_parameters(std::string_view field) noexcept;

}  // namespace livetls::web
