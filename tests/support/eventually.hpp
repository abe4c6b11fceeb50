#pragma once

#include <chrono>
#include <concepts>
#include <thread>

namespace livetls::test {

/// Waits until a condition holds that another thread or process brings about. False when it has not
/// within the time.
bool eventually(std::predicate auto condition,
                std::chrono::steady_clock::duration limit = std::chrono::seconds(20)) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace livetls::test
