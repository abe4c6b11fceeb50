#pragma once

#include <cstdint>
#include <mutex>

#include "livetls/tls/client_context.hpp"
#include "livetls/tls/server_context.hpp"
#include "livetls/tls/ticket_keys.hpp"
#include "wolfssl/wolfssl.hpp"

namespace livetls {

struct ServerContext::State {
  wolfssl::CtxPtr ctx;

  // What its tickets are sealed with and belong to; nullptr where there are none.
  std::shared_ptr<const TicketKeys> ticket_keys = {};
  TicketKeys::PolicyDigest policy_digest{};

  // The same without tickets, made at first use: see context_for.
  mutable std::once_flag without_tickets_made = {};
  mutable std::shared_ptr<const ServerContext> without_tickets = {};
};

struct ClientContext::State {
  wolfssl::CtxPtr ctx;
};

namespace wolfssl {

/// The cache is the whole process's, and the packaged library keeps sessions with tickets in it
/// unless it is told twice.
void keep_no_sessions(WOLFSSL_CTX* ctx);

/// What a client is served on. wolfSSL ends the handshake with a client that brings a ticket longer
/// than its own, as those of other servers are, unless the context has none to do with tickets.
WOLFSSL_CTX* context_for(const ServerContext& context, const ClientHello& hello);

/// The length of the tickets of this library for TLS 1.2: what is known of it.
std::size_t own_ticket_bytes() noexcept;

/// Seals and opens session tickets; `state` is the ServerContext's.
int ticket_callback(WOLFSSL* ssl, unsigned char* name, unsigned char* iv, unsigned char* mac,
                    int seal, unsigned char* ticket, int size, int* result_size,
                    void* state) noexcept;

}  // namespace wolfssl
}  // namespace livetls
