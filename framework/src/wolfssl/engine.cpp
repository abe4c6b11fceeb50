// The TLS engine on wolfSSL.
//
// A server's session is created only when the ClientHello is complete and what to serve has been
// chosen, on exactly the context that was chosen. So nothing of the session (cipher suites, verify
// mode, tickets) can stem from another certificate, a HelloRetryRequest cannot choose twice, and
// a connection that sends nothing costs no session.
//
// The session never sees a socket: its receive callback takes from the input buffer, its send
// callback appends to the output, which its owner sends as one write.

#include <algorithm>
#include <boost/asio/error.hpp>
#include <stdexcept>

#include "livetls/tls/tls_engine.hpp"
#include "wolfssl/alert.hpp"
#include "wolfssl/confirmation.hpp"
#include "wolfssl/context.hpp"
#include "wolfssl/error_category.hpp"
#include "wolfssl/peer_check.hpp"
#include "wolfssl/wire.hpp"
#include "wolfssl/wolfssl.hpp"

namespace livetls {

namespace asio = boost::asio;
using boost::system::error_code;
using Next = TlsEngine::Step::Next;

namespace {

TlsEngine::Step done(std::size_t bytes = 0) { return {Next::done, bytes, {}}; }
TlsEngine::Step need_input() { return {Next::need_input, 0, {}}; }
TlsEngine::Step failed(error_code error) { return {Next::failed, 0, error}; }

std::string joined(const std::vector<std::string>& protocols) {
  std::string list;
  for (const std::string& protocol : protocols) {
    if (!list.empty()) list += ',';
    list += protocol;
  }
  return list;
}

}  // namespace

std::optional<Fingerprint> fingerprint_of(const std::optional<Certificate>& certificate) {
  return certificate ? std::optional(certificate->leaf().fingerprint) : std::nullopt;
}

struct ClientSession::State {
  using Ptr = std::unique_ptr<WOLFSSL_SESSION, wolfssl::Deleter<wolfSSL_SESSION_free>>;
  Ptr session;

  // What was known of the server when it was made; resuming verifies nothing again.
  ServerName name;
  std::optional<TrustBundle> roots;
  std::optional<Fingerprint> presented;  // our own certificate, which the server may know it by
  bool accepted;
  CertificateChain chain;
  CertificateChain verified;

  bool is_for(const ServerName& other, const ClientOptions& options) const {
    return name == other && presented == fingerprint_of(options.certificate) &&
           (options.insecure_skip_verify || (accepted && roots == options.roots));
  }
};

struct TlsEngine::State {
  std::shared_ptr<const ServerConfig> server;
  std::shared_ptr<const ClientContext> client;
  wolfssl::PeerCheck peer;
  std::shared_ptr<ClientSession::State> session;  // client: to be resumed

  wolfssl::Wire wire;
  bool input_has_ended = false;

  std::unique_ptr<ClientHelloReader> hello_reader;  // server: until the session exists
  const ClientHello* received_hello = nullptr;      // the reader's, once it is complete
  std::chrono::steady_clock::time_point hello_received_at;
  std::string requested_name;
  std::optional<Served> served;
  std::optional<wolfssl::Confirmation> confirmation;

  wolfssl::SslPtr ssl;
  bool established = false;
  bool resumed = false;
  bool close_sent = false;
  bool close_received = false;
  error_code failure;  // once failed, for good

  // Kept here, because the library forgets them at the end of a session.
  TlsVersion version{};
  std::string_view cipher_suite;  // and the group: they point into the library's own tables
  std::string_view group;
  std::string alpn;
  std::optional<ChannelBinding> channel_binding;

  // The handshake
  Step handshake();
  Step receive_hello();
  Step begin_server();
  error_code choose(const ClientHello& hello);
  void create_session(WOLFSSL_CTX* ctx);
  void verify_apart();
  void begin_client();
  Step established_with_peer();
  error_code server_lacks() const;
  error_code client_lacks() const;
  void note_alpn();
  bool binds_channel() const;
  void note_channel_binding();

  Step read(asio::mutable_buffer into);
  Step write(asio::const_buffer from);
  Step shutdown();

  Step failed_call(int result);
  Step fail(error_code error);
  Step refuse(error_code error);
  void send_plain_alert(wolfssl::Alert alert);
};

// ---- The handshake ---------------------------------------------------------------------------

TlsEngine::Step TlsEngine::State::handshake() {
  if (failure) return failed(failure);
  if (established) return done();
  if (!ssl) {
    if (client) {
      begin_client();
    } else if (const Step step = begin_server(); step.next != Next::done) {
      return step;
    }
  }
  const int result = client ? wolfSSL_connect(ssl.get()) : wolfSSL_accept(ssl.get());
  return result == WOLFSSL_SUCCESS ? established_with_peer() : failed_call(result);
}

TlsEngine::Step TlsEngine::State::receive_hello() {
  if (failure) return failed(failure);
  if (client || ssl || received_hello != nullptr) return done();
  if (!hello_reader) hello_reader = std::make_unique<ClientHelloReader>();
  const Result<const ClientHello*> read = hello_reader->read(wire.input.bytes());
  if (!read) return refuse(read.error().code);
  if (*read == nullptr) return input_has_ended ? fail(Errc::stream_truncated) : need_input();
  received_hello = *read;
  return done();
}

TlsEngine::Step TlsEngine::State::begin_server() {
  if (const Step step = receive_hello(); step.next != Next::done) return step;
  if (const error_code error = choose(*received_hello)) return refuse(error);
  received_hello = nullptr;
  hello_reader.reset();
  return done();
}

/// The one place that reads what is current. From here on the connection has its answer.
error_code TlsEngine::State::choose(const ClientHello& hello) {
  hello_received_at = std::chrono::steady_clock::now();
  requested_name = hello.server_name;
  if (const error_code error = HandshakeWatch::check_shares(hello)) return error;
  Result<Served> chosen = server->contexts->select(hello);
  if (!chosen) return chosen.error().code;
  served = std::move(*chosen);
  if (served->match == NameMatch::unknown && server->unknown_name == UnknownName::reject) {
    return Errc::unrecognized_name;
  }
  if (served->match == NameMatch::none_asked && server->missing_name == MissingName::reject) {
    return Errc::server_name_missing;
  }

  const ServingPolicy& policy = served->context->policy();
  const auto& protocols = policy.alpn.empty() ? server->alpn : policy.alpn;
  if (!protocols.empty() && !hello.alpn.empty()) {
    const auto common = std::ranges::find_if(
        protocols, [&](const std::string& protocol) { return hello.alpn.contains(protocol); });
    if (common == protocols.end()) return Errc::no_application_protocol;
    alpn = *common;
  }
  WOLFSSL_CTX* ctx = wolfssl::context_for(*served->context, hello);
  confirmation.emplace(wolfssl::Confirmation{&*served, ctx, requested_name});
  wire.confirmation = &*confirmation;
  create_session(ctx);
  wire.watch->keep_client_hello(hello);
  if (verifies(policy.client_auth)) peer.roots = &*policy.client_roots;
  if (policy.client_auth != ClientAuth::none) verify_apart();
  if (!alpn.empty() && wolfSSL_UseALPN(ssl.get(), alpn.data(), static_cast<unsigned>(alpn.size()),
                                       WOLFSSL_ALPN_FAILED_ON_MISMATCH) != WOLFSSL_SUCCESS) {
    return Errc::tls_failure;
  }
  return {};
}

void TlsEngine::State::create_session(WOLFSSL_CTX* ctx) {
  wolfssl::ensure_initialized();  // this thread
  ssl.reset(wolfSSL_new(ctx));
  if (!ssl) throw std::bad_alloc();
  wolfSSL_SetIOReadCtx(ssl.get(), &wire);
  wolfSSL_SetIOWriteCtx(ssl.get(), &wire);
  wolfSSL_SetCertCbCtx(ssl.get(), &peer);
  wire.watch.emplace();
  if (binds_channel()) wolfSSL_KeepArrays(ssl.get());
}

/// The library adds the CAs that it meets in a chain, and that it is told to accept, to the store
/// it verifies with, which must not be the one of the context.
void TlsEngine::State::verify_apart() {
  WOLFSSL_X509_STORE* store = wolfSSL_X509_STORE_new();
  if (store == nullptr) throw std::bad_alloc();
  wolfSSL_set0_verify_cert_store(ssl.get(), store);  // it is the session's from now on
}

void TlsEngine::State::begin_client() {
  create_session(client->state().ctx.get());
  if (!client->options().insecure_skip_verify) peer.roots = &*client->options().roots;
  verify_apart();
  const std::string& name = peer.expected_name->text();
  if (!peer.expected_name->is_ip() &&
      wolfSSL_UseSNI(ssl.get(), WOLFSSL_SNI_HOST_NAME, name.data(),
                     static_cast<unsigned short>(name.size())) != WOLFSSL_SUCCESS) {
    throw std::bad_alloc();
  }
  if (session) wolfSSL_set_session(ssl.get(), session->session.get());
  std::string protocols = joined(client->options().alpn);
  if (!protocols.empty() &&
      wolfSSL_UseALPN(ssl.get(), protocols.data(), static_cast<unsigned>(protocols.size()),
                      WOLFSSL_ALPN_FAILED_ON_MISMATCH) != WOLFSSL_SUCCESS) {
    throw std::bad_alloc();
  }
}

TlsEngine::Step TlsEngine::State::established_with_peer() {
  resumed = wolfSSL_session_reused(ssl.get()) == 1;
  if (client && resumed && session) {
    peer.accepted = session->accepted;
    peer.chain = session->chain;
    peer.verified = session->verified;
  }
  if (const error_code missing = client ? server_lacks() : client_lacks()) {
    wire.output.clear();  // nothing more for a peer that was never shown to be the right one
    return fail(missing);
  }
  established = true;
  wire.watch.reset();
  wire.confirmation = nullptr;
  wire.input.expect_little();
  if (served) served->seat.establish(resumed);
  version = static_cast<TlsVersion>(wolfSSL_version(ssl.get()));
  cipher_suite = wolfSSL_get_cipher_name(ssl.get());
  if (const char* name = wolfSSL_get_curve_name(ssl.get())) group = name;
  note_alpn();
  if (binds_channel()) note_channel_binding();
  Step step = done();
  step.output_may_wait = server && version == TlsVersion::tls1_3;  // a ticket at most
  return step;
}

/// What the policy demands of a peer holds whatever the library says: that it did not verify, or
/// resumed what was never ours, must not let anybody in.
error_code TlsEngine::State::server_lacks() const {
  if (resumed && !session) return Errc::protocol_violation;
  return peer.skip() || peer.accepted ? error_code() : Errc::peer_untrusted;
}

error_code TlsEngine::State::client_lacks() const {
  if (!requested_name.empty() && !confirmation->confirmed) return Errc::tls_failure;
  const bool has_tickets = served->context->state().ticket_keys != nullptr;
  if (resumed && !has_tickets) return Errc::protocol_violation;
  switch (served->context->policy().client_auth) {
    case ClientAuth::none:
    case ClientAuth::request: return {};
    case ClientAuth::verify_if_given:
      return peer.chain.empty() || peer.accepted ? error_code() : Errc::peer_untrusted;
    case ClientAuth::require_any:
      return peer.chain.empty() ? Errc::peer_sent_no_certificate : error_code();
    case ClientAuth::require_and_verify:
      if (peer.chain.empty()) return Errc::peer_sent_no_certificate;
      return peer.accepted ? error_code() : Errc::peer_untrusted;
  }
  return Errc::tls_failure;
}

/// A server has chosen before; but after a HelloRetryRequest, a client may have offered none.
void TlsEngine::State::note_alpn() {
  alpn.clear();
  char* agreed = nullptr;
  unsigned short agreed_size = 0;
  if (wolfSSL_ALPN_GetProtocol(ssl.get(), &agreed, &agreed_size) == WOLFSSL_SUCCESS) {
    alpn.assign(agreed, agreed_size);
  }
}

bool TlsEngine::State::binds_channel() const {
  return server ? server->channel_binding : client->options().channel_binding;
}

/// RFC 9266, section 2. Of TLS 1.2 there is none, since it would depend on an extension.
void TlsEngine::State::note_channel_binding() {
  constexpr std::string_view kLabel = "EXPORTER-Channel-Binding";
  ChannelBinding binding;
  const bool exported =
      version == TlsVersion::tls1_3 &&
      wolfSSL_export_keying_material(ssl.get(), binding.data(), binding.size(), kLabel.data(),
                                     kLabel.size(), nullptr, 0, 0) == WOLFSSL_SUCCESS;
  if (exported) channel_binding = binding;
  wolfSSL_FreeArrays(ssl.get());
}

// ---- Application data ------------------------------------------------------------------------

TlsEngine::Step TlsEngine::State::read(asio::mutable_buffer into) {
  if (close_received) return failed(asio::error::eof);
  if (failure) return failed(failure);
  if (!established) return fail(Errc::protocol_violation);
  const int size = static_cast<int>(std::min<std::size_t>(into.size(), kMaxWriteBytes));
  const int result = wolfSSL_read(ssl.get(), into.data(), size);
  return result > 0 ? done(static_cast<std::size_t>(result)) : failed_call(result);
}

TlsEngine::Step TlsEngine::State::write(asio::const_buffer from) {
  if (close_sent) return failed(asio::error::shut_down);
  if (failure) return failed(failure);
  if (!established) return fail(Errc::protocol_violation);
  const int size = static_cast<int>(std::min(from.size(), kMaxWriteBytes));
  constexpr std::size_t kRecordOverhead = 64;  // header, tag, and the handshake's rest
  wire.reserve_output(wire.output.size() + static_cast<std::size_t>(size) +
                      (static_cast<std::size_t>(size) / 16384 + 1) * kRecordOverhead);
  const int result = wolfSSL_write(ssl.get(), from.data(), size);
  return result > 0 ? done(static_cast<std::size_t>(result)) : failed_call(result);
}

TlsEngine::Step TlsEngine::State::shutdown() {
  if (failure) return failed(failure);
  if (!established) return done();
  if (!std::exchange(close_sent, true)) wolfSSL_shutdown(ssl.get());
  std::array<char, 4096> discarded;
  for (;;) {
    const Step step = read(asio::buffer(discarded));
    if (step.next == Next::done) continue;
    // What a truncation would lose now was to be discarded anyway.
    if (step.error == asio::error::eof || step.error == Errc::stream_truncated) return done();
    return step;
  }
}

// ---- What went wrong -------------------------------------------------------------------------

TlsEngine::Step TlsEngine::State::failed_call(int result) {
  const int reason = wolfSSL_get_error(ssl.get(), result);
  if (wire.not_received) {
    wolfSSL_ERR_clear_error();
    return refuse(wire.not_received);
  }
  if (reason == WOLFSSL_ERROR_WANT_READ) {
    return input_has_ended ? fail(Errc::stream_truncated) : need_input();
  }
  if (reason == WOLFSSL_ERROR_ZERO_RETURN) {
    close_received = true;
    return established ? failed(asio::error::eof) : fail(Errc::stream_truncated);
  }
  wolfSSL_ERR_clear_error();
  if (confirmation && confirmation->refused) return fail(Errc::malformed_client_hello);
  if (peer.refusal.code) return fail(peer.refusal.code);
  return fail(wolfssl::to_error_code(reason));
}

TlsEngine::Step TlsEngine::State::fail(error_code error) {
  failure = error ? error : Errc::tls_failure;  // never report success
  if (served) served->seat.fail(handshake_failure(failure));
  return failed(failure);
}

/// Fails with an alert that is the last thing the peer hears.
TlsEngine::Step TlsEngine::State::refuse(error_code error) {
  wire.output.clear();
  if (error != Errc::not_tls && error != Errc::plain_http)
    send_plain_alert(wolfssl::alert_for(error));
  return fail(error);
}

/// While nothing is encrypted, an alert is one unprotected record (RFC 8446, section 6).
void TlsEngine::State::send_plain_alert(wolfssl::Alert alert) {
  constexpr std::uint8_t kFatal = 2;
  wire.output = {21, 3, 3, 0, 2, kFatal, alert};
}

// ---- The public face -------------------------------------------------------------------------

TlsEngine::TlsEngine(std::shared_ptr<const ServerConfig> config)
    : state_(std::make_unique<State>()) {
  if (!config || !config->contexts) throw std::invalid_argument("a server needs certificates");
  state_->server = std::move(config);
}

TlsEngine::TlsEngine(std::shared_ptr<const ClientContext> context, ServerName server_name,
                     std::optional<ClientSession> session)
    : state_(std::make_unique<State>()) {
  if (!context) throw std::invalid_argument("a client needs a context");
  state_->client = std::move(context);
  if (session && session->state_->is_for(server_name, state_->client->options())) {
    state_->session = std::move(session->state_);
  }
  state_->peer.expected_name = std::move(server_name);
}

TlsEngine::TlsEngine(TlsEngine&&) noexcept = default;
TlsEngine& TlsEngine::operator=(TlsEngine&&) noexcept = default;
TlsEngine::~TlsEngine() = default;

TlsEngine::Step TlsEngine::receive_hello() { return state_->receive_hello(); }
TlsEngine::Step TlsEngine::handshake() { return state_->handshake(); }
TlsEngine::Step TlsEngine::read(asio::mutable_buffer into) { return state_->read(into); }
TlsEngine::Step TlsEngine::write(asio::const_buffer from) { return state_->write(from); }
TlsEngine::Step TlsEngine::shutdown() { return state_->shutdown(); }

asio::mutable_buffer TlsEngine::input_space() { return state_->wire.input.space(); }
void TlsEngine::input_arrived(std::size_t bytes) { state_->wire.input.commit(bytes); }
void TlsEngine::input_ended() { state_->input_has_ended = true; }

std::size_t TlsEngine::output_size() const noexcept { return state_->wire.output.size(); }

void TlsEngine::take_output(std::vector<std::uint8_t>& into) {
  into.clear();
  into.swap(state_->wire.output);
}

void TlsEngine::give_back(std::vector<std::uint8_t>& memory) noexcept {
  wolfssl::Wire::give_back_output(memory);
}

bool TlsEngine::resumed() const noexcept { return state_->resumed; }
bool TlsEngine::is_server() const noexcept { return state_->server != nullptr; }
TlsVersion TlsEngine::version() const noexcept { return state_->version; }
std::string_view TlsEngine::cipher_suite() const noexcept { return state_->cipher_suite; }
std::string_view TlsEngine::group() const noexcept { return state_->group; }
std::string_view TlsEngine::alpn() const noexcept { return state_->alpn; }
std::string_view TlsEngine::server_name() const noexcept { return state_->requested_name; }

const std::optional<ChannelBinding>& TlsEngine::channel_binding() const noexcept {
  return state_->channel_binding;
}

const Served* TlsEngine::served() const noexcept {
  return state_->served ? &*state_->served : nullptr;
}

std::chrono::steady_clock::time_point TlsEngine::hello_received_at() const noexcept {
  return state_->hello_received_at;
}

std::optional<ClientSession> TlsEngine::session() const {
  // Of TLS 1.2 there is none: the library's client ends the handshake, instead of making a full
  // one, when the server refuses its ticket.
  if (!state_->client || state_->version != TlsVersion::tls1_3) return std::nullopt;
  ClientSession kept;
  const wolfssl::PeerCheck& peer = state_->peer;
  kept.state_ = std::make_shared<ClientSession::State>(ClientSession::State{
      .session = ClientSession::State::Ptr(wolfSSL_get1_session(state_->ssl.get())),
      .name = *peer.expected_name,
      .roots = state_->client->options().roots,
      .presented = fingerprint_of(state_->client->options().certificate),
      .accepted = peer.accepted,
      .chain = peer.chain,
      .verified = peer.verified});
  WOLFSSL_SESSION* session = kept.state_->session.get();
  if (session == nullptr || wolfSSL_SESSION_has_ticket(session) != 1) return std::nullopt;
  return kept;
}

std::optional<CertificateInfo> TlsEngine::peer_certificate() const {
  if (!state_->established || state_->peer.chain.empty()) return std::nullopt;
  Result<CertificateInfo> info = CertificateInfo::from_der(state_->peer.chain.front());
  return info ? std::optional(std::move(*info)) : std::nullopt;
}

std::span<const std::vector<std::uint8_t>> TlsEngine::peer_chain() const noexcept {
  return state_->peer.chain;
}

std::span<const std::vector<std::uint8_t>> TlsEngine::verified_chain() const noexcept {
  return state_->peer.verified;
}

std::string_view TlsEngine::refusal_reason() const noexcept { return state_->peer.refusal.context; }

bool TlsEngine::peer_is_verified() const noexcept {
  return state_->established && state_->peer.accepted;
}

}  // namespace livetls
