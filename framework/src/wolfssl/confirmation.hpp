#pragma once

#include <string_view>

#include "livetls/tls/server_context.hpp"
#include "wolfssl/wolfssl.hpp"

namespace livetls::wolfssl {

/// What a session was created for, and whether the library has read the same.
///
/// livetls chooses by its own reading of the ClientHello, before there is a session. The library
/// reads it again, and its SNI callback is the second, authoritative reading: the name that it has
/// found must be the one that was chosen for, and lead to the same context in the same snapshot.
struct Confirmation {
  const Served* served;
  const WOLFSSL_CTX* ctx;
  std::string_view asked;  ///< as it was sent; empty for nothing
  bool confirmed = false;
  bool refused = false;

  bool agrees(const WOLFSSL_CTX* with, std::string_view server_name) const;
};

/// wolfSSL's SNI callback: once for each ClientHello that has extensions.
int confirm_server_name(WOLFSSL* ssl, int* alert, void*) noexcept;

}  // namespace livetls::wolfssl
