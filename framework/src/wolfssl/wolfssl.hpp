#pragma once

// The one place that includes wolfSSL's headers, and the ownership of what they hand out.

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include <chrono>
#include <memory>

namespace livetls::wolfssl {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};

using CtxPtr = std::unique_ptr<WOLFSSL_CTX, Deleter<wolfSSL_CTX_free>>;
using SslPtr = std::unique_ptr<WOLFSSL, Deleter<wolfSSL_free>>;

/// Starts the library once a process, and has what it keeps for this thread freed when that ends.
/// Call it before anything else of wolfSSL. Throws std::runtime_error when it cannot start.
void ensure_initialized();

/// By the clock that the library judges certificates and OCSP responses by.
std::chrono::sys_seconds library_time();

}  // namespace livetls::wolfssl
