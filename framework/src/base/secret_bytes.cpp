#include "livetls/base/secret_bytes.hpp"

#include <cstring>

namespace livetls {

void wipe(void* data, std::size_t size) noexcept {
  if (size == 0) return;
  std::memset(data, 0, size);
  // The compiler must assume that this reads the memory, so the memset stays.
  asm volatile("" : : "r"(data) : "memory");
}

}  // namespace livetls
