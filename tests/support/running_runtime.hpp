#pragma once

#include <chrono>

#include "livetls/net/runtime.hpp"

namespace livetls::test {

/// A runtime with two threads that have been started. Servers are made after it and end before it.
class RunningRuntime {
 public:
  explicit RunningRuntime(std::chrono::steady_clock::duration stop_grace = std::chrono::seconds(30))
      : runtime_({.threads = 2, .stop_grace = stop_grace, .stop_on_signals = false}) {
    runtime_.start();
  }

  operator Runtime&() noexcept { return runtime_; }
  Runtime* operator->() noexcept { return &runtime_; }

 private:
  Runtime runtime_;
};

}  // namespace livetls::test
