#include <stdexcept>

#include "wolfssl/wolfssl.hpp"

namespace livetls::wolfssl {

void ensure_initialized() {
  static const bool started = [] {
    if (wolfSSL_Init() != WOLFSSL_SUCCESS) {
      throw std::runtime_error("wolfSSL could not be initialised");
    }
    return true;
  }();
  static_cast<void>(started);
}

}  // namespace livetls::wolfssl
