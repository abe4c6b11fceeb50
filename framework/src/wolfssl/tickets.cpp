// wolfSSL's ticket callback over TicketKeys. wolfSSL leaves room for a name of 16 bytes, an iv of
// 16 (12 are used), a mac of 32, and 32 more behind the ticket itself: there is our tag.
//
// The mac's room is written and never read. A ticket says itself how long its sealed part is, and
// wolfSSL (5.5.4 and 5.7.2) believes a stranger: it bounds the length so that the sealed part lies
// within what has arrived, but the mac, which it takes to be behind, may lie beyond.

#include <algorithm>
#include <atomic>
#include <span>

#include "wolfssl/context.hpp"
#include "wolfssl/wire.hpp"

namespace livetls::wolfssl {
namespace {

constexpr std::size_t kTagBytes = TicketKeys::kTagBytes;
constexpr int kOverhead = static_cast<int>(TicketKeys::kOverheadBytes + kTagBytes);

/// wolfSSL's tickets have one length, which depends on how it was compiled and is not told before
/// the first is sealed. The shortest that is known is 5.5.4's, as Debian packages it.
std::atomic<std::size_t> ticket_bytes = 198;

constexpr std::size_t kFixedBytes =
    WOLFSSL_TICKET_NAME_SZ + WOLFSSL_TICKET_IV_SZ + sizeof(word16) + WOLFSSL_TICKET_MAC_SZ;

Wire& wire_of(WOLFSSL* ssl) { return *static_cast<Wire*>(wolfSSL_GetIOReadCtx(ssl)); }

int seal_ticket(const ServerContext::State& state, std::span<std::uint8_t> ticket,
                std::chrono::sys_seconds authenticated_at, unsigned char* name, unsigned char* iv,
                unsigned char* mac) {
  const auto sealed = state.ticket_keys->seal(ticket.first(ticket.size() - kTagBytes),
                                              state.policy_digest, authenticated_at);
  if (!sealed) return WOLFSSL_TICKET_RET_FATAL;
  std::fill_n(iv, WOLFSSL_TICKET_IV_SZ, std::uint8_t{0});
  std::fill_n(mac, WOLFSSL_TICKET_MAC_SZ, std::uint8_t{1});  // wolfSSL refuses zeros
  std::ranges::copy(sealed->name, name);
  std::ranges::copy(sealed->nonce, iv);
  std::ranges::copy(sealed->tag, ticket.last(kTagBytes).begin());
  return WOLFSSL_TICKET_RET_OK;
}

/// A ticket of an earlier epoch is good, and the client is to get another. In TLS 1.3 it does
/// anyway, and wolfSSL takes the demand for one for a refusal.
int answer_for(const TicketKeys::Opened& opened, WOLFSSL* ssl) {
  const bool asks_for_another = opened.renew && wolfSSL_GetVersion(ssl) != WOLFSSL_TLSV1_3;
  return asks_for_another ? WOLFSSL_TICKET_RET_CREATE : WOLFSSL_TICKET_RET_OK;
}

int open_ticket(const ServerContext::State& state, std::span<std::uint8_t> ticket, WOLFSSL* ssl,
                const unsigned char* name, const unsigned char* iv) {
  TicketKeys::Sealed sealed;
  std::copy_n(name, sealed.name.size(), sealed.name.begin());
  std::copy_n(iv, sealed.nonce.size(), sealed.nonce.begin());
  std::ranges::copy(ticket.last(kTagBytes), sealed.tag.begin());
  const auto opened =
      state.ticket_keys->open(ticket.first(ticket.size() - kTagBytes), sealed, state.policy_digest);
  if (!opened) return WOLFSSL_TICKET_RET_REJECT;
  wire_of(ssl).authenticated_at = opened->authenticated_at;
  return answer_for(*opened, ssl);
}

}  // namespace

std::size_t own_ticket_bytes() noexcept { return ticket_bytes; }

int ticket_callback(WOLFSSL* ssl, unsigned char* name, unsigned char* iv, unsigned char* mac,
                    int seal, unsigned char* ticket, int size, int* result_size,
                    void* context) noexcept {
  const auto& state = *static_cast<const ServerContext::State*>(context);
  if (seal != 0) {
    if (*result_size < size + kOverhead) return WOLFSSL_TICKET_RET_FATAL;
    *result_size = size + kOverhead;
    ticket_bytes = kFixedBytes + static_cast<std::size_t>(*result_size);
    const Wire& wire = wire_of(ssl);
    const bool resumed = wolfSSL_session_reused(ssl) == 1 && wire.authenticated_at;
    const auto authenticated_at = resumed ? *wire.authenticated_at : state.ticket_keys->now();
    return seal_ticket(state, {ticket, static_cast<std::size_t>(*result_size)}, authenticated_at,
                       name, iv, mac);
  }
  if (size < kOverhead) return WOLFSSL_TICKET_RET_REJECT;
  *result_size = size - kOverhead;
  return open_ticket(state, {ticket, static_cast<std::size_t>(size)}, ssl, name, iv);
}

}  // namespace livetls::wolfssl
