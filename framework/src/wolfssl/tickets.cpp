// wolfSSL's ticket callback over TicketKeys. wolfSSL leaves room for a name of 16 bytes, an iv of
// 16 (12 are used), a mac of 32 (16 are used), and some more behind the ticket itself.

#include <algorithm>
#include <span>

#include "wolfssl/context.hpp"

namespace livetls::wolfssl {
namespace {

int seal_ticket(const ServerContext::State& state, std::span<std::uint8_t> ticket,
                std::chrono::sys_seconds authenticated_at, unsigned char* name, unsigned char* iv,
                unsigned char* mac) {
  const auto sealed = state.ticket_keys->seal(ticket, state.policy_digest, authenticated_at);
  if (!sealed) return WOLFSSL_TICKET_RET_FATAL;
  std::fill_n(iv, WOLFSSL_TICKET_IV_SZ, std::uint8_t{0});
  std::fill_n(mac, WOLFSSL_TICKET_MAC_SZ, std::uint8_t{0});
  std::ranges::copy(sealed->name, name);
  std::ranges::copy(sealed->nonce, iv);
  std::ranges::copy(sealed->tag, mac);
  return WOLFSSL_TICKET_RET_OK;
}

int open_ticket(const ServerContext::State& state, std::span<std::uint8_t> ticket, Wire& wire,
                const unsigned char* name, const unsigned char* iv, const unsigned char* mac) {
  TicketKeys::Sealed sealed;
  std::copy_n(name, sealed.name.size(), sealed.name.begin());
  std::copy_n(iv, sealed.nonce.size(), sealed.nonce.begin());
  std::copy_n(mac, sealed.tag.size(), sealed.tag.begin());
  const auto opened = state.ticket_keys->open(ticket, sealed, state.policy_digest);
  if (!opened) return WOLFSSL_TICKET_RET_REJECT;
  wire.authenticated_at = opened->authenticated_at;
  return opened->renew ? WOLFSSL_TICKET_RET_CREATE : WOLFSSL_TICKET_RET_OK;
}

}  // namespace

int ticket_callback(WOLFSSL* ssl, unsigned char* name, unsigned char* iv, unsigned char* mac,
                    int seal, unsigned char* ticket, int size, int* result_size,
                    void* context) noexcept {
  constexpr int kOverhead = static_cast<int>(TicketKeys::kOverheadBytes);
  const auto& state = *static_cast<const ServerContext::State*>(context);
  auto& wire = *static_cast<Wire*>(wolfSSL_GetIOReadCtx(ssl));
  if (seal != 0) {
    if (*result_size < size + kOverhead) return WOLFSSL_TICKET_RET_FATAL;
    *result_size = size + kOverhead;
    const bool resumed = wolfSSL_session_reused(ssl) == 1 && wire.authenticated_at;
    const auto authenticated_at = resumed ? *wire.authenticated_at : state.ticket_keys->now();
    return seal_ticket(state, {ticket, static_cast<std::size_t>(*result_size)}, authenticated_at,
                       name, iv, mac);
  }
  if (size < kOverhead) return WOLFSSL_TICKET_RET_REJECT;
  *result_size = size - kOverhead;
  return open_ticket(state, {ticket, static_cast<std::size_t>(size)}, wire, name, iv, mac);
}

}  // namespace livetls::wolfssl
