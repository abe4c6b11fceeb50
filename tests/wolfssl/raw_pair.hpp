#pragma once

// The library without livetls: its contexts as they come, and two of its sessions joined by memory.

#include <algorithm>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "livetls/pki/certificate.hpp"
#include "livetls/pki/trust_bundle.hpp"
#include "livetls/tls/tls_policy.hpp"
#include "wolfssl/wolfssl.hpp"

namespace livetls::test {

using wolfssl::CtxPtr;
using wolfssl::SslPtr;

/// Stops the test: the library did not do what every test here begins with.
inline void must(bool success, const char* what) {
  if (!success) throw std::runtime_error(std::string("wolfSSL refuses: ") + what);
}

// ---- Contexts ----------------------------------------------------------------------------------

/// As the library makes them. A server speaks every version that it was compiled with, as livetls's
/// contexts do; a client one version, which so is the one that is agreed on.
inline CtxPtr bare_server_ctx() {
  wolfssl::ensure_initialized();
  CtxPtr ctx(wolfSSL_CTX_new(wolfTLS_server_method()));
  must(ctx != nullptr, "a server's context");
  return ctx;
}

inline CtxPtr bare_client_ctx(TlsVersion version) {
  wolfssl::ensure_initialized();
  CtxPtr ctx(wolfSSL_CTX_new(version == TlsVersion::tls1_2 ? wolfTLSv1_2_client_method()
                                                           : wolfTLSv1_3_client_method()));
  must(ctx != nullptr, "a client's context");
  return ctx;
}

inline void use_certificate(const CtxPtr& ctx, const Certificate& certificate) {
  const std::string chain = certificate.to_pem();
  const auto key = certificate.private_key().der();
  must(wolfSSL_CTX_use_certificate_chain_buffer(
           ctx.get(), reinterpret_cast<const unsigned char*>(chain.data()),
           static_cast<long>(chain.size())) == WOLFSSL_SUCCESS,
       "a certificate");
  must(wolfSSL_CTX_use_PrivateKey_buffer(ctx.get(), key.data(), static_cast<long>(key.size()),
                                         WOLFSSL_FILETYPE_ASN1) == WOLFSSL_SUCCESS,
       "a private key");
}

inline void trust(const CtxPtr& ctx, const TrustBundle& roots) {
  for (const auto& root : roots.certificates()) {
    must(wolfSSL_CTX_load_verify_buffer(ctx.get(), root.data(), static_cast<long>(root.size()),
                                        WOLFSSL_FILETYPE_ASN1) == WOLFSSL_SUCCESS,
         "a root");
  }
}

inline constexpr int kRequireCertificate =
    WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT;

/// Asks clients for nothing.
inline CtxPtr server_ctx(const Certificate& certificate) {
  CtxPtr ctx = bare_server_ctx();
  use_certificate(ctx, certificate);
  return ctx;
}

/// Asks clients for a certificate of `roots`.
inline CtxPtr strict_server_ctx(const Certificate& certificate, const TrustBundle& roots) {
  CtxPtr ctx = server_ctx(certificate);
  trust(ctx, roots);
  wolfSSL_CTX_set_verify(ctx.get(), kRequireCertificate, nullptr);
  return ctx;
}

/// Verifies servers.
inline CtxPtr client_ctx(TlsVersion version, const TrustBundle& roots) {
  CtxPtr ctx = bare_client_ctx(version);
  trust(ctx, roots);
  wolfSSL_CTX_set_verify(ctx.get(), WOLFSSL_VERIFY_PEER, nullptr);
  return ctx;
}

/// What runs on a ClientHello. It is given the session and the alert to be sent, and answers one of
/// the below.
using SniCallback = std::function<int(WOLFSSL*, int*)>;
inline constexpr int kGoOn = 0;
inline constexpr int kReject = 2;

/// `callback` outlives the sessions: the library keeps a bare pointer to it.
inline void on_client_hello(const CtxPtr& ctx, SniCallback& callback) {
  wolfSSL_CTX_set_servername_callback(ctx.get(), [](WOLFSSL* ssl, int* alert, void* argument) {
    return (*static_cast<SniCallback*>(argument))(ssl, alert);
  });
  wolfSSL_CTX_set_servername_arg(ctx.get(), &callback);
}

/// What runs when a ticket is sealed or opened.
using TicketCallback = std::function<void(bool sealed)>;

/// Lets a context issue tickets and take those of every other that this was called for: they share
/// one key. Nothing is secret here. `callback` outlives the sessions. The library is answered
/// `kOpened` of a ticket that opens.
template <int kOpened = WOLFSSL_TICKET_RET_OK>
void share_tickets(const CtxPtr& ctx, TicketCallback& callback) {
  const auto seal_or_open = [](WOLFSSL*, unsigned char* name, unsigned char* iv, unsigned char* mac,
                               int seal, unsigned char* ticket, int size, int* result_size,
                               void* argument) {
    (*static_cast<TicketCallback*>(argument))(seal != 0);
    if (seal != 0) {
      std::fill_n(name, WOLFSSL_TICKET_NAME_SZ, 1);
      std::fill_n(iv, WOLFSSL_TICKET_IV_SZ, 1);
      std::fill_n(mac, WOLFSSL_TICKET_MAC_SZ, 1);
    }
    for (unsigned char& octet : std::span(ticket, static_cast<std::size_t>(size))) octet ^= 0xaa;
    *result_size = size;
    return seal != 0 ? static_cast<int>(WOLFSSL_TICKET_RET_OK) : kOpened;
  };
  must(wolfSSL_CTX_set_TicketEncCb(ctx.get(), seal_or_open) == WOLFSSL_SUCCESS &&
           wolfSSL_CTX_set_TicketEncCtx(ctx.get(), &callback) == WOLFSSL_SUCCESS,
       "a ticket callback");
}

// ---- Sessions ----------------------------------------------------------------------------------

/// A client's and a server's session.
class RawPair {
 public:
  RawPair(const CtxPtr& client_ctx, const CtxPtr& server_ctx)
      : client(make_session(client_ctx, client_end_)),
        server(make_session(server_ctx, server_end_)) {}

  RawPair(const RawPair&) = delete;

 private:
  struct Pipe {
    std::string bytes;         // all that was ever sent
    std::size_t received = 0;  // of them
    bool blocked = false;
  };
  struct End {
    Pipe* from;
    Pipe* to;
  };

  Pipe to_server_;
  Pipe to_client_;
  End client_end_{&to_client_, &to_server_};
  End server_end_{&to_server_, &to_client_};

 public:
  SslPtr client;
  SslPtr server;

  /// The library's reason for each end; 0 where the handshake is done.
  struct Outcome {
    int client;
    int server;
    bool done() const { return client == 0 && server == 0; }
  };

  /// Steps both in turn until both are done or nothing moves any more.
  Outcome handshake() {
    Outcome outcome{WOLFSSL_ERROR_WANT_READ, WOLFSSL_ERROR_WANT_READ};
    for (;;) {
      const std::size_t before = to_server_.bytes.size() + to_client_.bytes.size();
      if (outcome.client == WOLFSSL_ERROR_WANT_READ) outcome.client = step_client();
      if (outcome.server == WOLFSSL_ERROR_WANT_READ) outcome.server = step_server();
      if (to_server_.bytes.size() + to_client_.bytes.size() == before) return outcome;
    }
  }

  /// One step of one end, which goes as far as it can.
  int step_client() { return reason(client, wolfSSL_connect(client.get())); }
  int step_server() { return reason(server, wolfSSL_accept(server.get())); }

  /// Writes at one end; what the other reads.
  static std::string send(const SslPtr& from, const SslPtr& to, std::string_view text) {
    must(wolfSSL_write(from.get(), text.data(), static_cast<int>(text.size())) ==
             static_cast<int>(text.size()),
         "a write");
    return read(to);
  }

  /// All that is there.
  static std::string read(const SslPtr& ssl) {
    std::string text(64 * 1024, '\0');
    std::size_t size = 0;
    for (;;) {
      const int count =
          wolfSSL_read(ssl.get(), text.data() + size, static_cast<int>(text.size() - size));
      if (count <= 0) break;
      size += static_cast<std::size_t>(count);
    }
    text.resize(size);
    return text;
  }

  /// As if the client had sent them.
  void inject(std::string_view bytes) { to_server_.bytes.append(bytes); }

  /// Why a call that answered `result` did not succeed; 0 where it did.
  static int reason(const SslPtr& ssl, int result) {
    return result == WOLFSSL_SUCCESS ? 0 : wolfSSL_get_error(ssl.get(), result);
  }

  void ask_for(std::string_view server_name) const {
    must(wolfSSL_UseSNI(client.get(), WOLFSSL_SNI_HOST_NAME, server_name.data(),
                        static_cast<unsigned short>(server_name.size())) == WOLFSSL_SUCCESS,
         "a server name");
  }

  /// TLS 1.2 issues tickets to clients that ask for them.
  void ask_for_a_ticket() const {
    must(wolfSSL_UseSessionTicket(client.get()) == WOLFSSL_SUCCESS, "to ask for a ticket");
  }

  /// The client shows no key share, so that the server has to ask for one.
  void provoke_retry() const {
    must(wolfSSL_NoKeyShares(client.get()) == WOLFSSL_SUCCESS, "a ClientHello without shares");
  }

  /// While it is blocked, whatever the server sends is answered with WANT_WRITE.
  void block_server(bool blocked) { to_client_.blocked = blocked; }

  /// All bytes that the server has sent.
  const std::string& sent_by_server() const { return to_client_.bytes; }

 private:
  static SslPtr make_session(const CtxPtr& ctx, End& end) {
    SslPtr ssl(wolfSSL_new(ctx.get()));
    must(ssl != nullptr, "a session");
    wolfSSL_SSLSetIORecv(ssl.get(), receive);
    wolfSSL_SSLSetIOSend(ssl.get(), transmit);
    wolfSSL_SetIOReadCtx(ssl.get(), &end);
    wolfSSL_SetIOWriteCtx(ssl.get(), &end);
    return ssl;
  }

  static int receive(WOLFSSL*, char* into, int size, void* end) {
    Pipe& from = *static_cast<End*>(end)->from;
    const std::size_t count = from.bytes.copy(into, static_cast<std::size_t>(size), from.received);
    from.received += count;
    return count == 0 ? static_cast<int>(WOLFSSL_CBIO_ERR_WANT_READ) : static_cast<int>(count);
  }

  static int transmit(WOLFSSL*, char* bytes, int size, void* end) {
    Pipe& to = *static_cast<End*>(end)->to;
    if (to.blocked) return WOLFSSL_CBIO_ERR_WANT_WRITE;
    to.bytes.append(bytes, static_cast<std::size_t>(size));
    return size;
  }
};

// ---- What came of it ---------------------------------------------------------------------------

/// Whether the peer showed this certificate.
inline bool peer_showed(const SslPtr& ssl, const Certificate& certificate) {
  WOLFSSL_X509* peer = wolfSSL_get_peer_certificate(ssl.get());
  if (peer == nullptr) return false;
  int size = 0;
  const unsigned char* der = wolfSSL_X509_get_der(peer, &size);
  const bool same = std::ranges::equal(std::span(der, static_cast<std::size_t>(size)),
                                       certificate.chain().front());
  wolfSSL_X509_free(peer);
  return same;
}

/// The fatal alert that a session has received; -1 where there is none.
inline int alert_received(const SslPtr& ssl) {
  WOLFSSL_ALERT_HISTORY history{};
  wolfSSL_get_alert_history(ssl.get(), &history);
  return history.last_rx.level == alert_fatal ? history.last_rx.code : -1;
}

inline bool resumed(const SslPtr& ssl) { return wolfSSL_session_reused(ssl.get()) == 1; }

/// A HelloRetryRequest is a ServerHello whose random begins so (RFC 8446, section 4.1.3).
inline constexpr std::string_view kHelloRetryRequest = "\xcf\x21\xad\x74\xe5\x9a\x61\x11";

/// Of the two libraries that are tested, the one of Debian 12 is compiled with this.
#ifdef OPENSSL_COMPATIBLE_DEFAULTS
inline constexpr bool kOpenDefaults = true;
#else
inline constexpr bool kOpenDefaults = false;
#endif

}  // namespace livetls::test
