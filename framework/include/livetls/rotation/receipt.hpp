#pragma once

#include <chrono>
#include <cstdint>

namespace livetls {

/// The answer to an update that was published: from now on, every ClientHello that is read gets
/// this generation or a later one.
struct Receipt {
  std::uint64_t generation;
  std::chrono::system_clock::time_point published_at;
};

}  // namespace livetls
