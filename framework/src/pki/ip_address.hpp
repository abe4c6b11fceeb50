#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace livetls {

/// The 4 or 16 bytes of an IP address: IPv4 as four decimal numbers, IPv6 as RFC 4291 writes it,
/// without brackets and without a zone.
std::optional<std::vector<std::uint8_t>> parse_ip(std::string_view text);

/// Canonical text (RFC 5952); nothing where there are neither 4 nor 16 bytes.
std::optional<std::string> ip_text(std::span<const std::uint8_t> bytes);

}  // namespace livetls
