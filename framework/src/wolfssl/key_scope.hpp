#pragma once

#include "base/secret_memory.hpp"

namespace livetls::wolfssl {

/// Around calls that work on a private key. While one lives, what wolfSSL allocates in this thread
/// lies in the secret heap, also where it stays there longer. At its end, what those calls left on
/// the stack is wiped.
class KeyScope {
 public:
  explicit KeyScope(StackDepth stack = StackDepth::any) noexcept : stack_(stack) { ++depth(); }
  ~KeyScope() {
    --depth();
    wipe_stack(stack_);
  }
  KeyScope(const KeyScope&) = delete;
  KeyScope& operator=(const KeyScope&) = delete;

  static bool is_active() noexcept { return depth() > 0; }

 private:
  static int& depth() noexcept {
    static constinit thread_local int depth = 0;
    return depth;
  }

  StackDepth stack_;
};

}  // namespace livetls::wolfssl
