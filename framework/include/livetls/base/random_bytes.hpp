#pragma once

#include <cstdint>
#include <span>

namespace livetls {

/// Fills `into` from the kernel's generator. Any thread. Throws std::system_error where there is
/// none.
void random_bytes(std::span<std::uint8_t> into);

}  // namespace livetls
