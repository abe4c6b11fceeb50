#pragma once

#include "livetls/tls/client_context.hpp"

namespace livetls {

enum class KeyExchange { x25519, p256 };

/// For load generators alone, and in no library that is installed: a client that verifies nothing,
/// offers one group where it speaks TLS 1.3, and takes what the server has signed with ECDSA
/// unchecked, which is most of what a handshake costs a client. Whoever sits between can be the
/// server.
std::shared_ptr<const ClientContext> make_load_client(const TlsPolicy& policy, KeyExchange group);

}  // namespace livetls
