#pragma once

#include "livetls/tls/client_context.hpp"
#include "livetls/tls/server_context.hpp"
#include "wolfssl/wolfssl.hpp"

namespace livetls {

struct ServerContext::State {
  wolfssl::CtxPtr ctx;
};

struct ClientContext::State {
  wolfssl::CtxPtr ctx;
};

namespace wolfssl {

/// How every session of ours moves bytes: from its engine's input, to its engine's output. Defined
/// beside the engine.
int receive_callback(WOLFSSL*, char* into, int size, void* input);
int send_callback(WOLFSSL*, char* from, int size, void* output);

/// Called for every certificate of a server's chain, after the library has verified it.
int verify_callback(int verified, WOLFSSL_X509_STORE_CTX* store) noexcept;

}  // namespace wolfssl
}  // namespace livetls
