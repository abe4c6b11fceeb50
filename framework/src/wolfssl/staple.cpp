// wolfSSL sends OCSP responses that it has fetched, checked and stored itself. So it is made to
// "fetch" the staple from memory once, in a handshake in memory with a client that insists on one:
// what is wrong with it shows before it is published, and in handshakes with clients nothing is
// fetched or stored any more. When the response becomes stale, the library leaves it out.

#include "wolfssl/staple.hpp"

#include <algorithm>
#include <array>

#include "wolfssl/context.hpp"
#include "wolfssl/error_category.hpp"
#include "wolfssl/wire.hpp"

namespace livetls::wolfssl {
namespace {

/// The library's "ioctx" is the staple.
int give_staple(void* staple, const char*, int, unsigned char*, int, unsigned char** response) {
  const auto& der = *static_cast<const std::span<const std::uint8_t>*>(staple);
  *response = const_cast<unsigned char*>(der.data());
  return static_cast<int>(der.size());
}

int fetch_nothing(void*, const char*, int, unsigned char*, int, unsigned char**) { return -1; }
void free_nothing(void*, unsigned char*) {}
int send_nothing(WOLFSSL*, void*) { return SSL_TLSEXT_ERR_NOACK; }

/// False where the library can use none of them.
bool trust_issuers(WOLFSSL_CTX* ctx, const Certificate& certificate) {
  bool any = false;
  for (const auto& der : certificate.chain().subspan(1)) {
    any |= wolfSSL_CTX_load_verify_buffer(ctx, der.data(), static_cast<long>(der.size()),
                                          WOLFSSL_FILETYPE_ASN1) == WOLFSSL_SUCCESS;
  }
#ifdef WOLFSSL_TRUST_PEER_CERT
  // A library built so also registers each one as a trusted peer, and then accepts, unverified, any
  // certificate that repeats its name and the bytes of its signature (CVE-2026-93302).
  if (any && wolfSSL_CTX_Unload_trust_peers(ctx) != WOLFSSL_SUCCESS) return false;
#endif
  return any;
}

CtxPtr insistent_client(const Certificate& certificate, TlsVersion version) {
  CtxPtr ctx(wolfSSL_CTX_new(version == TlsVersion::tls1_2 ? wolfTLSv1_2_client_method()
                                                           : wolfTLSv1_3_client_method()));
  if (!ctx) throw std::bad_alloc();
  wolfSSL_CTX_SetIORecv(ctx.get(), receive_callback);
  wolfSSL_CTX_SetIOSend(ctx.get(), send_callback);
  keep_no_sessions(ctx.get());
  wolfSSL_CTX_set_verify(ctx.get(), WOLFSSL_VERIFY_PEER, nullptr);  // 5.5.4 does not by itself
  const bool ready =
      trust_issuers(ctx.get(), certificate) &&
      wolfSSL_CTX_EnableOCSPStapling(ctx.get()) == WOLFSSL_SUCCESS &&
      wolfSSL_CTX_UseOCSPStapling(ctx.get(), WOLFSSL_CSR_OCSP, 0) == WOLFSSL_SUCCESS &&
      wolfSSL_CTX_EnableOCSPMustStaple(ctx.get()) == WOLFSSL_SUCCESS;
  return ready ? std::move(ctx) : nullptr;
}

struct Side {
  explicit Side(WOLFSSL_CTX* ctx) : ssl(wolfSSL_new(ctx)) {
    if (!ssl) throw std::bad_alloc();
    wolfSSL_SetIOReadCtx(ssl.get(), &wire);
    wolfSSL_SetIOWriteCtx(ssl.get(), &wire);
  }

  bool send_to(Side& other) {
    std::span<const std::uint8_t> rest = wire.output;
    while (!rest.empty()) {
      const auto space = other.wire.input.space();
      const std::size_t count = std::min(rest.size(), space.size());
      std::copy_n(rest.begin(), count, static_cast<std::uint8_t*>(space.data()));
      other.wire.input.commit(count);
      rest = rest.subspan(count);
    }
    const bool sent = !wire.output.empty();
    wire.output.clear();
    return sent;
  }

  Wire wire;
  SslPtr ssl;
};

/// No error where the client got a staple that it believes.
boost::system::error_code try_staple(WOLFSSL_CTX* server_ctx, const Certificate& certificate,
                                     TlsVersion version) {
  const CtxPtr client_ctx = insistent_client(certificate, version);
  if (!client_ctx) return Errc::staple_unusable;
  Side client(client_ctx.get()), server(server_ctx);
  for (bool moved = true; moved;) {
    const int connected = wolfSSL_connect(client.ssl.get());
    moved = client.send_to(server);
    const int accepted = wolfSSL_accept(server.ssl.get());
    moved |= server.send_to(client);
    if (connected == WOLFSSL_SUCCESS && accepted == WOLFSSL_SUCCESS) return {};
    if (connected == WOLFSSL_SUCCESS) continue;
    const int reason = wolfSSL_get_error(client.ssl.get(), connected);
    if (reason != WOLFSSL_ERROR_WANT_READ) return to_error_code(reason);
  }
  return Errc::handshake_failed;
}

}  // namespace

Result<void> use_staple(WOLFSSL_CTX* ctx, const Certificate& certificate, const TlsPolicy& policy) {
  std::span<const std::uint8_t> staple = certificate.staple()->der();
  const bool ready =
      trust_issuers(ctx, certificate) && wolfSSL_CTX_EnableOCSPStapling(ctx) == WOLFSSL_SUCCESS &&
      wolfSSL_CTX_EnableOCSP(ctx, WOLFSSL_OCSP_URL_OVERRIDE) == WOLFSSL_SUCCESS &&
      wolfSSL_CTX_SetOCSP_OverrideURL(ctx, "memory") == WOLFSSL_SUCCESS &&
      wolfSSL_CTX_SetOCSP_Cb(ctx, give_staple, free_nothing, &staple) == WOLFSSL_SUCCESS;
  if (!ready) return Error{Errc::staple_unusable, certificate.leaf().subject};
  for (const TlsVersion version : {TlsVersion::tls1_2, TlsVersion::tls1_3}) {
    if (version < policy.min_version || version > policy.max_version) continue;
    if (const auto error = try_staple(ctx, certificate, version)) {
      return Error{Errc::staple_unusable,
                   certificate.leaf().subject + " (" + error.message() + ")"};
    }
  }
  wolfSSL_CTX_DisableOCSP(ctx);  // of clients' certificates
  wolfSSL_CTX_SetOCSP_Cb(ctx, fetch_nothing, free_nothing, nullptr);
  wolfSSL_CTX_set_tlsext_status_cb(ctx, send_nothing);
  return {};
}

}  // namespace livetls::wolfssl
