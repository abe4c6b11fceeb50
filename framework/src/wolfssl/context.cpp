// Builds the library's contexts. The packaged library's defaults are open (anonymous and NULL
// suites, SSLv3, no verification), so everything that matters is set here, and every answer
// checked.

#include "wolfssl/context.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "tls/policy_digest.hpp"
#include "wolfssl/confirmation.hpp"
#include "wolfssl/error_category.hpp"
#include "wolfssl/key_scope.hpp"
#include "wolfssl/peer_check.hpp"
#include "wolfssl/staple.hpp"
#include "wolfssl/wire.hpp"

namespace livetls {
namespace {

constexpr const char* kCipherSuites =
    "TLS13-AES128-GCM-SHA256:TLS13-AES256-GCM-SHA384:TLS13-CHACHA20-POLY1305-SHA256:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

WOLFSSL_METHOD* server_method(const TlsPolicy& policy) {
  return policy.max_version == TlsVersion::tls1_2 ? wolfTLSv1_2_server_method()
                                                  : wolfTLS_server_method();
}

WOLFSSL_METHOD* client_method(const TlsPolicy& policy) {
  return policy.max_version == TlsVersion::tls1_2 ? wolfTLSv1_2_client_method()
                                                  : wolfTLS_client_method();
}

bool set_versions(WOLFSSL_CTX* ctx, const TlsPolicy& policy) {
  const int minimum = policy.min_version == TlsVersion::tls1_3 ? WOLFSSL_TLSV1_3 : WOLFSSL_TLSV1_2;
  return wolfSSL_CTX_SetMinVersion(ctx, minimum) == WOLFSSL_SUCCESS;
}

/// X25519 is the fastest, and the first choice of every browser, together with ML-KEM where both
/// sides have it: what is recorded today stays secret from tomorrow's quantum computers. 5.5.4
/// takes an order of groups for TLS 1.3 only.
bool set_groups(WOLFSSL_CTX* ctx, const TlsPolicy& policy) {
  std::array groups = {
#ifdef WOLFSSL_PQC_HYBRIDS
      static_cast<int>(WOLFSSL_X25519MLKEM768),
#endif
      static_cast<int>(WOLFSSL_ECC_X25519), static_cast<int>(WOLFSSL_ECC_SECP256R1),
      static_cast<int>(WOLFSSL_ECC_SECP384R1), static_cast<int>(WOLFSSL_ECC_SECP521R1)};
  if (policy.max_version == TlsVersion::tls1_3) {
    return wolfSSL_CTX_set_groups(ctx, groups.data(), groups.size()) == WOLFSSL_SUCCESS;
  }
  return std::ranges::all_of(groups, [ctx](int group) {
    return wolfSSL_CTX_UseSupportedCurve(ctx, static_cast<word16>(group)) == WOLFSSL_SUCCESS;
  });
}

bool set_algorithms(WOLFSSL_CTX* ctx, const TlsPolicy& policy) {
  return wolfSSL_CTX_set_cipher_list(ctx, kCipherSuites) == WOLFSSL_SUCCESS &&
         set_groups(ctx, policy);
}

bool issue_no_tickets(WOLFSSL_CTX* ctx, const TlsPolicy& policy) {
  const bool tls13 = policy.max_version == TlsVersion::tls1_3;
  return wolfSSL_CTX_set_TicketEncCb(ctx, nullptr) == WOLFSSL_SUCCESS &&
         wolfSSL_CTX_NoTicketTLSv12(ctx) == WOLFSSL_SUCCESS &&
         (!tls13 || wolfSSL_CTX_no_ticket_TLSv13(ctx) == 0);
}

/// Resumption agrees on a fresh secret as well (psk_dhe_ke). With the pre-shared key alone, its
/// owner can read what was sent, and a server could leave the secret out (CVE-2025-11935). 5.5.4
/// cannot be told.
bool always_agree_on_a_secret(WOLFSSL_CTX* ctx, const TlsPolicy& policy) {
#if LIBWOLFSSL_VERSION_HEX >= 0x05007000
  return policy.max_version != TlsVersion::tls1_3 || wolfSSL_CTX_only_dhe_psk(ctx) == 0;
#else
  static_cast<void>(ctx);
  static_cast<void>(policy);
  return true;
#endif
}

void set_transport(WOLFSSL_CTX* ctx) {
  wolfssl::keep_no_sessions(ctx);
  wolfSSL_CTX_SetIORecv(ctx, wolfssl::receive_callback);
  wolfSSL_CTX_SetIOSend(ctx, wolfssl::send_callback);
  wolfSSL_CTX_set_group_messages(ctx);
}

/// wolfSSL would seal tickets with a key of the context's own, so a renewed certificate would end
/// them all, and one that is shared would carry sessions past another's policy.
bool issue_tickets(ServerContext::State& state, const ServingPolicy& policy,
                   const Certificate& certificate) {
  WOLFSSL_CTX* ctx = state.ctx.get();
  if (!policy.ticket_keys || policy.client_auth != ClientAuth::none) {
    return issue_no_tickets(ctx, policy.tls);
  }
  state.ticket_keys = policy.ticket_keys;
  state.policy_digest = policy_digest(policy, certificate.leaf());
  const auto seconds = static_cast<unsigned>(policy.ticket_keys->max_age().count());
  wolfSSL_CTX_set_timeout(ctx, seconds);  // answers the former one
  return wolfSSL_CTX_set_TicketEncCb(ctx, wolfssl::ticket_callback) == WOLFSSL_SUCCESS &&
         wolfSSL_CTX_set_TicketEncCtx(ctx, &state) == WOLFSSL_SUCCESS &&
         wolfSSL_CTX_set_TicketHint(ctx, static_cast<int>(seconds)) == WOLFSSL_SUCCESS;
}

/// The context's copy of the key stays in the secret heap. That it fits needs no second check,
/// which would be most of what a context costs: a Certificate whose key does not fit does not
/// exist.
bool use_key(WOLFSSL_CTX* ctx, const PrivateKey& key) {
  const wolfssl::KeyScope scope(StackDepth::loading);
  return wolfSSL_CTX_use_PrivateKey_buffer(ctx, key.der().data(),
                                           static_cast<long>(key.der().size()),
                                           WOLFSSL_FILETYPE_ASN1) == WOLFSSL_SUCCESS;
}

/// In DER, which saves writing PEM and reading it again; but of long chains the library takes only
/// that.
bool use_chain(WOLFSSL_CTX* ctx, const Certificate& certificate) {
  constexpr std::size_t kMaxInDer = 9;
  if (certificate.chain().size() > kMaxInDer) {
    const std::string pem = certificate.to_pem();
    return wolfSSL_CTX_use_certificate_chain_buffer(
               ctx, reinterpret_cast<const unsigned char*>(pem.data()),
               static_cast<long>(pem.size())) == WOLFSSL_SUCCESS;
  }
  std::vector<std::uint8_t> chain;
  for (const auto& der : certificate.chain()) chain.insert(chain.end(), der.begin(), der.end());
  return wolfSSL_CTX_use_certificate_chain_buffer_format(ctx, chain.data(),
                                                         static_cast<long>(chain.size()),
                                                         WOLFSSL_FILETYPE_ASN1) == WOLFSSL_SUCCESS;
}

bool use_certificate(WOLFSSL_CTX* ctx, const Certificate& certificate) {
  return use_chain(ctx, certificate) && use_key(ctx, certificate.private_key());
}

/// The names of acceptable authorities go into the request (RFC 8446, section 4.2.4), where the
/// library can send them (in TLS 1.3, 5.7 and newer): in one record, without looking whether they
/// fit.
void name_authorities(WOLFSSL_CTX* ctx, const TrustBundle& roots) {
  constexpr std::size_t kMaxBytes = 12'000;
  if (roots.subject_bytes() + 2 * roots.certificates().size() > kMaxBytes) return;
  for (const auto& root : roots.certificates()) {
    const unsigned char* der = root.data();
    WOLFSSL_X509* x509 = wolfSSL_d2i_X509(nullptr, &der, static_cast<int>(root.size()));
    if (x509 == nullptr) continue;
    wolfSSL_CTX_add_client_CA(ctx, x509);
    wolfSSL_X509_free(x509);
  }
}

void ask_clients(WOLFSSL_CTX* ctx, const ServingPolicy& policy) {
  int mode = WOLFSSL_VERIFY_NONE;
  switch (policy.client_auth) {
    case ClientAuth::none: break;
    case ClientAuth::request:
    case ClientAuth::verify_if_given: mode = WOLFSSL_VERIFY_PEER; break;
    case ClientAuth::require_any:
    case ClientAuth::require_and_verify:
      mode = WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT;
      break;
  }
  const bool asks = mode != WOLFSSL_VERIFY_NONE;
  wolfSSL_CTX_set_verify(ctx, mode, asks ? wolfssl::verify_callback : nullptr);
  if (!verifies(policy.client_auth)) return;
  name_authorities(ctx, *policy.client_roots);
}

Error tls_failure(const char* what) { return {Errc::tls_failure, what}; }

}  // namespace

ServerContext::ServerContext(Certificate certificate, ServingPolicy policy,
                             std::unique_ptr<State> state)
    : certificate_(std::move(certificate)), policy_(std::move(policy)), state_(std::move(state)) {}

ServerContext::~ServerContext() = default;

Result<std::shared_ptr<const ServerContext>> ServerContext::build(const Certificate& certificate,
                                                                  const ServingPolicy& policy) {
  wolfssl::ensure_initialized();
  if (verifies(policy.client_auth) && !policy.client_roots) return Error{Errc::no_client_roots};
  wolfssl::CtxPtr ctx(wolfSSL_CTX_new(server_method(policy.tls)));
  if (!ctx) throw std::bad_alloc();
  if (!set_versions(ctx.get(), policy.tls)) return tls_failure("TLS versions");
  if (!use_certificate(ctx.get(), certificate)) {
    return Error{Errc::certificate_unusable, certificate.leaf().subject};
  }
  if (!set_algorithms(ctx.get(), policy.tls)) return tls_failure("cipher suites and groups");
  if (!always_agree_on_a_secret(ctx.get(), policy.tls)) return tls_failure("psk_dhe_ke");
  set_transport(ctx.get());
  wolfSSL_CTX_set_servername_callback(ctx.get(), wolfssl::confirm_server_name);
  // Where clients are asked for a certificate, sessions have a store of their own, in which the
  // library does not find the issuer of what it staples. A stale staple is left out: clients
  // would reject it.
  const auto& staple = certificate.staple();
  const bool asks = policy.client_auth != ClientAuth::none;
  if (staple && !asks && staple->valid_at(wolfssl::library_time())) {
    const auto done = wolfssl::use_staple(ctx.get(), certificate, policy.tls);
    if (!done) return done.error();
  }
  ask_clients(ctx.get(), policy);
  auto state = std::make_unique<State>();
  state->ctx = std::move(ctx);
  if (!issue_tickets(*state, policy, certificate)) return tls_failure("session tickets");
  return std::shared_ptr<const ServerContext>(
      new ServerContext(certificate, policy, std::move(state)));
}

namespace wolfssl {

void keep_no_sessions(WOLFSSL_CTX* ctx) {
  wolfSSL_CTX_set_session_cache_mode(ctx, WOLFSSL_SESS_CACHE_OFF);
  wolfSSL_CTX_set_session_cache_mode(ctx, WOLFSSL_SESS_CACHE_NO_INTERNAL);
}

WOLFSSL_CTX* context_for(const ServerContext& context, const ClientHello& hello) {
  const ServerContext::State& state = context.state();
  if (!state.ticket_keys || hello.session_ticket.size() <= own_ticket_bytes() ||
      state.ticket_keys->know(hello.session_ticket)) {
    return state.ctx.get();
  }
  std::call_once(state.without_tickets_made, [&] {
    ServingPolicy policy = context.policy();
    policy.ticket_keys.reset();
    if (auto made = ServerContext::build(context.certificate(), policy)) {
      state.without_tickets = std::move(*made);
    }
  });
  return state.without_tickets ? state.without_tickets->state().ctx.get() : state.ctx.get();
}

}  // namespace wolfssl

ClientContext::ClientContext(ClientOptions options, std::unique_ptr<State> state)
    : options_(std::move(options)), state_(std::move(state)) {}

ClientContext::~ClientContext() = default;

Result<std::shared_ptr<const ClientContext>> ClientContext::create(ClientOptions options) {
  wolfssl::ensure_initialized();
  wolfssl::CtxPtr ctx(wolfSSL_CTX_new(client_method(options.policy)));
  if (!ctx) throw std::bad_alloc();
  if (!set_versions(ctx.get(), options.policy)) return tls_failure("TLS versions");
  if (!set_algorithms(ctx.get(), options.policy)) return tls_failure("cipher suites and groups");
  if (!always_agree_on_a_secret(ctx.get(), options.policy)) return tls_failure("psk_dhe_ke");
  if (options.certificate && !use_certificate(ctx.get(), *options.certificate)) {
    return Error{Errc::certificate_unusable, options.certificate->leaf().subject};
  }
  if (!options.insecure_skip_verify) {
    if (!options.roots) {
      Result<TrustBundle> system = TrustBundle::system();
      if (!system) return system.error();
      options.roots = std::move(*system);
    }
  }
  wolfSSL_CTX_set_verify(ctx.get(), WOLFSSL_VERIFY_PEER, wolfssl::verify_callback);
  set_transport(ctx.get());
  return std::shared_ptr<const ClientContext>(
      new ClientContext(std::move(options), std::make_unique<State>(State{std::move(ctx)})));
}

}  // namespace livetls
