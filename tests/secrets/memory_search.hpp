#pragma once

#include <string>

#include "secrets/needles.hpp"

namespace livetls::test {

/// While it lives, every block that the process gives back to its heap is searched for needles, and
/// then kept as it is instead of being given back. So what was freed can be read once more at the
/// end, when needles are known that were not when it was freed. One at a time.
class FreedMemory {
 public:
  /// False under sanitizers, which have a heap of their own.
  static bool can_be_watched() noexcept;

  explicit FreedMemory(const Needles& needles);
  ~FreedMemory();
  FreedMemory(const FreedMemory&) = delete;
  FreedMemory& operator=(const FreedMemory&) = delete;

  std::size_t blocks() const noexcept;

  /// What was found in blocks when they were given back, and who did it; empty for nothing.
  std::string findings() const;
};

/// Searches all memory of this process that can be written (heaps, also freed blocks; stacks;
/// globals). Where something was found; empty for nothing.
std::string search_own_memory(const Needles& needles);

/// Searches a file. What was found; empty for nothing.
std::string search_file(const std::string& file, const Needles& needles);

}  // namespace livetls::test
