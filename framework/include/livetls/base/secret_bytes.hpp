#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace livetls {

/// Overwrites memory in a way that the compiler may not remove.
void wipe(void* data, std::size_t size) noexcept;

/// An allocator whose memory is wiped before it is given back, also when a vector grows.
template <class T>
struct WipingAllocator {
  using value_type = T;

  WipingAllocator() = default;
  template <class U>
  WipingAllocator(const WipingAllocator<U>&) noexcept {}

  T* allocate(std::size_t count) { return std::allocator<T>{}.allocate(count); }

  void deallocate(T* data, std::size_t count) noexcept {
    wipe(data, count * sizeof(T));
    std::allocator<T>{}.deallocate(data, count);
  }

  friend bool operator==(const WipingAllocator&, const WipingAllocator&) noexcept { return true; }
};

/// Bytes that must not outlive their use: private keys, PEM text that holds one.
using SecretBytes = std::vector<std::uint8_t, WipingAllocator<std::uint8_t>>;

}  // namespace livetls
