#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <vector>

namespace livetls {

/// Overwrites memory in a way that the compiler may not remove.
void wipe(void* data, std::size_t size) noexcept;

/// Memory that core files leave out, aligned for anything. Any thread. Throws std::bad_alloc.
void* allocate_secret(std::size_t bytes);

/// Wipes a block of `allocate_secret` and takes it back. Any thread; nullptr is ignored.
void free_secret(void* block) noexcept;

/// An allocator whose memory is left out of core files, and wiped before it is given back, also
/// when a vector grows.
template <class T>
struct SecretAllocator {
  static_assert(alignof(T) <= alignof(std::max_align_t));
  using value_type = T;

  SecretAllocator() = default;
  template <class U>
  SecretAllocator(const SecretAllocator<U>&) noexcept {}

  T* allocate(std::size_t count) {
    if (count > std::numeric_limits<std::size_t>::max() / sizeof(T)) {
      throw std::bad_array_new_length();
    }
    return static_cast<T*>(allocate_secret(count * sizeof(T)));
  }
  void deallocate(T* data, std::size_t) noexcept { free_secret(data); }

  friend bool operator==(const SecretAllocator&, const SecretAllocator&) noexcept { return true; }
};

/// Bytes that must not outlive their use: private keys, PEM text that holds one.
using SecretBytes = std::vector<std::uint8_t, SecretAllocator<std::uint8_t>>;

}  // namespace livetls
