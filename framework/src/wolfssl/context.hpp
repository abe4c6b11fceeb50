#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "livetls/tls/client_context.hpp"
#include "livetls/tls/server_context.hpp"
#include "livetls/tls/ticket_keys.hpp"
#include "tls/handshake_watch.hpp"
#include "tls/input_buffer.hpp"
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

/// What a session's callbacks work on; the engine owns it.
struct Wire {
  InputBuffer input;
  std::vector<std::uint8_t> output;
  std::optional<HandshakeWatch> watch;     // of the input, until the handshake is done
  boost::system::error_code not_received;  // what the watch has refused
  std::optional<std::chrono::sys_seconds> authenticated_at;  // in the session that is resumed
};

/// How every session of ours moves bytes: from its wire's input, to its wire's output. Defined
/// beside the engine.
int receive_callback(WOLFSSL*, char* into, int size, void* wire);
int send_callback(WOLFSSL*, char* from, int size, void* wire);

/// Has a context verify peers against these CA certificates, and nothing else; false if it
/// cannot use any of them.
bool trust(WOLFSSL_CTX* ctx, std::span<const std::vector<std::uint8_t>> certificates);

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

/// Called for every certificate of a server's chain, after the library has verified it.
int verify_callback(int verified, WOLFSSL_X509_STORE_CTX* store) noexcept;

}  // namespace wolfssl
}  // namespace livetls
