#pragma once

#include <cstddef>

#include "livetls/base/secret_bytes.hpp"

namespace livetls {

/// Whether `allocate_secret` made this block. Costs two comparisons.
bool is_secret(const void* block) noexcept;

/// How many bytes a block of `allocate_secret` has, at least as many as were asked for.
std::size_t secret_size(const void* block) noexcept;

/// Wipes what calls that have returned may have left on this thread's stack, as deep as wolfSSL
/// goes with a private key. Objects of the caller and its callers stay.
void wipe_stack() noexcept;

}  // namespace livetls
