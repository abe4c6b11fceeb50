#pragma once

#include <atomic>

#include "wolfssl/wolfssl.hpp"

namespace livetls::test {

/// While it lives, counts the library's allocations that are not freed.
class CountedAllocations {
 public:
  CountedAllocations() {
    live_ = 0;
    wolfSSL_GetAllocators(&before_.malloc, &before_.free, &before_.realloc);
    wolfSSL_SetAllocators(allocate, release, reallocate);
  }
  ~CountedAllocations() {
    live_ = 0;
    wolfSSL_SetAllocators(before_.malloc, before_.free, before_.realloc);
  }

  static int live() { return live_; }

 private:
  static void* allocate(std::size_t size) {
    ++live_;
    return before_.malloc(size);
  }
  static void release(void* memory) {
    if (memory != nullptr) --live_;
    before_.free(memory);
  }
  static void* reallocate(void* memory, std::size_t size) {
    if (memory == nullptr) ++live_;
    return before_.realloc(memory, size);
  }

  struct Allocators {
    wolfSSL_Malloc_cb malloc;
    wolfSSL_Free_cb free;
    wolfSSL_Realloc_cb realloc;
  };

  static inline Allocators before_;
  static inline std::atomic<int> live_ = 0;
};

}  // namespace livetls::test
