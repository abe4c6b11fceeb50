#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace livetls::web {

enum class Method : std::uint8_t { get, head, post, put, patch, del, options, other };

/// Those that a route can be registered for: all but `other`.
inline constexpr std::size_t kRoutableMethods = 7;

/// Methods are case-sensitive (RFC 9110, section 9.1): "get" is `other`.
Method method_from(std::string_view text) noexcept;

/// Empty for `other`.
std::string_view to_string(Method method) noexcept;

}  // namespace livetls::web
