#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <thread>
#include <utility>

namespace livetls {

/// One current value that many threads read while a few replace it.
///
/// A reader announces the pointer it saw in a slot, checks that it still is the current one, and
/// takes a reference: it never waits for a writer or another reader. A writer replaces the pointer
/// with one atomic exchange, then waits until no slot announces the old one, which takes as long as
/// a reader needs to copy a shared_ptr. So the old value is gone when its last user lets go, not at
/// some later collection: what it holds may be a private key.
///
/// (std::atomic<std::shared_ptr> in libstdc++ 12 takes a lock bit, so that a reader that loses the
/// processor holds up all others.)
template <class T>
class Published {
 public:
  explicit Published(std::shared_ptr<const T> value) : current_(new Pointer(std::move(value))) {}

  Published(const Published&) = delete;
  Published& operator=(const Published&) = delete;
  ~Published() { delete current_.load(std::memory_order_acquire); }

  std::shared_ptr<const T> load() const {
    return read([](const std::shared_ptr<const T>& value) { return value; });
  }

  /// Calls `use` with the current value. `store` does not return while one that began before it is
  /// in `use`: keep it to a few instructions.
  template <class Use>
  auto read(const Use& use) const {
    const Pointer* seen = current_.load(std::memory_order_seq_cst);
    std::atomic<const Pointer*>& slot = announce(seen);
    for (const Pointer* now; (now = current_.load(std::memory_order_seq_cst)) != seen; seen = now) {
      slot.store(now, std::memory_order_seq_cst);
    }
    auto result = use(*seen);
    slot.store(nullptr, std::memory_order_release);
    return result;
  }

  /// Every load that begins after this returns sees `value` or a later one. Writers take turns
  /// outside.
  void store(std::shared_ptr<const T> value) {
    const Pointer* old =
        current_.exchange(new Pointer(std::move(value)), std::memory_order_seq_cst);
    for (const Slot& slot : slots_) {
      while (slot.reading.load(std::memory_order_seq_cst) == old) std::this_thread::yield();
    }
    delete old;
  }

 private:
  using Pointer = std::shared_ptr<const T>;

  struct alignas(64) Slot {
    std::atomic<const Pointer*> reading = nullptr;
  };

  /// Takes a free slot, starting at one that no other thread starts at as long as there are enough.
  std::atomic<const Pointer*>& announce(const Pointer* pointer) const {
    static std::atomic<std::size_t> threads = 0;
    thread_local const std::size_t first = threads.fetch_add(1, std::memory_order_relaxed);
    for (std::size_t i = first;; ++i) {
      auto& slot = slots_[i % slots_.size()].reading;
      const Pointer* free = nullptr;
      if (slot.compare_exchange_strong(free, pointer, std::memory_order_seq_cst)) return slot;
    }
  }

  std::atomic<const Pointer*> current_;
  mutable std::array<Slot, 64> slots_;
};

}  // namespace livetls
