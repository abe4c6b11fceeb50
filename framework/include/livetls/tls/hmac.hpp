#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace livetls {

using Mac = std::array<std::uint8_t, 32>;

/// HMAC-SHA-256 (RFC 2104). Any thread. Throws std::invalid_argument for an empty key.
Mac hmac_sha256(std::span<const std::uint8_t> key, std::span<const std::uint8_t> text);

/// Whether they are equal, in a time that does not tell where they differ. Any thread.
bool equal_secretly(const Mac& a, const Mac& b) noexcept;

}  // namespace livetls
