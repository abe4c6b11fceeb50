// The heap that secrets live in: one range of addresses, of which more is made usable when it is
// needed and nothing is given back to the system. The kernel, and debuggers that write core files,
// leave it out. What is in it is found by an algorithm of Boost.Interprocess, which keeps its books
// in the same memory.

#include "base/secret_memory.hpp"

#include <pthread.h>
#include <sys/mman.h>

#include <boost/interprocess/mem_algo/rbtree_best_fit.hpp>
#include <boost/interprocess/sync/mutex_family.hpp>
#include <cstring>
#include <functional>
#include <mutex>

namespace livetls {
namespace {

using BestFit = boost::interprocess::rbtree_best_fit<boost::interprocess::null_mutex_family, void*>;

/// Only addresses. Where a limit of the process is lower, less will do.
constexpr std::size_t kMostReservedBytes = std::size_t{4} << 30;
constexpr std::size_t kLeastReservedBytes = std::size_t{16} << 20;
constexpr std::size_t kStepBytes = std::size_t{256} << 10;

class SecretHeap {
 public:
  SecretHeap() {
    reserve();
    make_usable(kStepBytes);
    best_fit_ = ::new (begin_) BestFit(usable_, 0);
    ::pthread_atfork([] { instance().mutex_.lock(); }, [] { instance().mutex_.unlock(); },
                     [] { instance().mutex_.unlock(); });
  }

  /// Never destroyed: secrets may go after everything else of this library has.
  static SecretHeap& instance() {
    alignas(SecretHeap) static std::byte memory[sizeof(SecretHeap)];
    static auto* const kHeap = ::new (memory) SecretHeap;
    return *kHeap;
  }

  void* allocate(std::size_t bytes) {
    if (bytes > reserved_) throw std::bad_alloc();
    const std::scoped_lock lock(mutex_);
    if (void* const block = best_fit_->allocate(bytes)) return block;
    const std::size_t steps = bytes / kStepBytes + 2;  // its books need some, too
    make_usable(steps * kStepBytes);
    best_fit_->grow(steps * kStepBytes);
    if (void* const block = best_fit_->allocate(bytes)) return block;
    throw std::bad_alloc();
  }

  void free(void* block) noexcept {
    const std::scoped_lock lock(mutex_);
    wipe(block, best_fit_->size(block));
    best_fit_->deallocate(block);
  }

  bool holds(const void* block) const noexcept {
    return std::less_equal<>{}(begin_, block) &&
           std::less<>{}(block, static_cast<std::byte*>(begin_) + reserved_);
  }

  std::size_t size(const void* block) const noexcept {
    const std::scoped_lock lock(mutex_);
    return best_fit_->size(block);
  }

 private:
  void reserve() {
    constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    for (reserved_ = kMostReservedBytes; reserved_ >= kLeastReservedBytes; reserved_ /= 2) {
      begin_ = ::mmap(nullptr, reserved_, PROT_NONE, kFlags, -1, 0);
      if (begin_ == MAP_FAILED) continue;
      ::madvise(begin_, reserved_, MADV_DONTDUMP);  // kernels that cannot are older than 3.4
      return;
    }
    throw std::bad_alloc();
  }

  void make_usable(std::size_t bytes) {
    std::byte* const from = static_cast<std::byte*>(begin_) + usable_;
    if (bytes > reserved_ - usable_ || ::mprotect(from, bytes, PROT_READ | PROT_WRITE) != 0) {
      throw std::bad_alloc();
    }
    usable_ += bytes;
  }

  mutable std::mutex mutex_;
  void* begin_ = nullptr;
  std::size_t reserved_ = 0;
  std::size_t usable_ = 0;
  BestFit* best_fit_ = nullptr;
};

}  // namespace

void* allocate_secret(std::size_t bytes) { return SecretHeap::instance().allocate(bytes); }

void free_secret(void* block) noexcept {
  if (block != nullptr) SecretHeap::instance().free(block);
}

bool is_secret(const void* block) noexcept { return SecretHeap::instance().holds(block); }

std::size_t secret_size(const void* block) noexcept { return SecretHeap::instance().size(block); }

[[gnu::noinline]] void wipe_stack(StackDepth depth) noexcept {
  std::byte all[static_cast<std::size_t>(StackDepth::any)];
  const auto bytes = static_cast<std::size_t>(depth);
  std::byte* const below = all + sizeof all - bytes;  // it grows downwards
  wipe(below, bytes);
  // memcpy leaves what it copied last in vector registers, which a new thread inherits. Copies of
  // several sizes, since those use different ones; the longest use none.
  constexpr std::size_t kLongestInRegisters = 8 << 10;
  for (std::size_t size = 64; size <= kLongestInRegisters; size *= 2) {
    asm volatile("" : "+r"(size));  // unknown to the compiler, so that it is a call
    std::memcpy(below, below + kLongestInRegisters, size);
    asm volatile("" : : "r"(below) : "memory");
  }
}

}  // namespace livetls
