#pragma once

#include <cstddef>

#include "livetls/base/secret_bytes.hpp"

namespace livetls {

/// Whether `allocate_secret` made this block. Costs two comparisons.
bool is_secret(const void* block) noexcept;

/// How many bytes a block of `allocate_secret` has, at least as many as were asked for.
std::size_t secret_size(const void* block) noexcept;

/// How deep wolfSSL goes with a private key, in bytes of stack: three times what was seen when it
/// loads one, and as deep as anything goes.
enum class StackDepth : std::size_t { loading = 32 << 10, any = 96 << 10 };

/// Wipes what calls that have returned may have left on this thread's stack. Objects of the caller
/// and its callers stay.
void wipe_stack(StackDepth depth = StackDepth::any) noexcept;

}  // namespace livetls
