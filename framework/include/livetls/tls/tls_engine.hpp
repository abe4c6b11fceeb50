#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "livetls/base/result.hpp"
#include "livetls/pki/certificate_info.hpp"
#include "livetls/pki/server_name.hpp"
#include "livetls/tls/client_context.hpp"
#include "livetls/tls/server_context.hpp"
#include "livetls/tls/tls_policy.hpp"

namespace livetls {

/// What both ends of a connection know and nobody else: another connection has another, also where
/// somebody passes everything on ("tls-exporter", RFC 9266).
using ChannelBinding = std::array<std::uint8_t, 32>;

/// What a client keeps of a connection to resume it in a later one. Opaque; safe to share.
class ClientSession {
 public:
  struct State;

 private:
  friend class TlsEngine;
  std::shared_ptr<State> state_;
};

/// One side of one TLS connection as a state machine over two byte buffers: it never touches a
/// socket, a clock or a thread. Its owner puts what the peer sent into the input and sends what it
/// finds in the output; each operation says what it waits for.
///
/// Not safe for use by two threads at once. Operations may be interleaved freely.
class TlsEngine {
 public:
  /// The answer to "what next?".
  struct Step {
    enum class Next {
      done,        ///< the operation is complete; `bytes` says how much it moved
      need_input,  ///< call again after input_arrived or input_ended
      failed,      ///< for good; `error` says why. Send the output: it may hold an alert.
    };
    Next next = Next::done;
    std::size_t bytes = 0;
    boost::system::error_code error = {};
    bool output_may_wait = false;  ///< done, and what is left to send can go with the next write
  };

  explicit TlsEngine(std::shared_ptr<const ServerConfig> config);

  /// `server_name` is what the certificate must be for, and is sent as SNI unless it is an address.
  /// `session` of an earlier connection is resumed where the server agrees, and where it was made
  /// for the same name and, unless nothing is verified, verified against the same roots.
  TlsEngine(std::shared_ptr<const ClientContext> context, ServerName server_name,
            std::optional<ClientSession> session = {});

  TlsEngine(TlsEngine&&) noexcept;
  TlsEngine& operator=(TlsEngine&&) noexcept;
  ~TlsEngine();

  /// Server: receives the ClientHello and no more, so that its owner knows when the work begins.
  /// Nothing has been chosen or computed for the client when it is done. A client has nothing to
  /// wait for here. May be left out.
  Step receive_hello();

  /// After any step, output that is there should be sent before anything is waited for.
  Step handshake();

  /// At the peer's close_notify: failed with asio::error::eof. Where the input ended without one:
  /// stream_truncated.
  Step read(boost::asio::mutable_buffer into);

  /// Takes everything, up to kMaxWriteBytes at a time.
  Step write(boost::asio::const_buffer from);

  /// Sends close_notify, then reads and discards until the peer's has come, or the input has ended.
  Step shutdown();

  static constexpr std::size_t kMaxWriteBytes = 64 * 1024;

  /// Where bytes from the peer go next; never empty.
  boost::asio::mutable_buffer input_space();
  void input_arrived(std::size_t bytes);
  void input_ended();

  /// Bytes for the peer, in order. `take_output` hands all of them over and reuses `into`'s memory.
  std::size_t output_size() const noexcept;
  void take_output(std::vector<std::uint8_t>& into);

  /// Takes the memory of an output that was sent, for the next large one of this thread. It is
  /// empty then.
  static void give_back(std::vector<std::uint8_t>& memory) noexcept;

  /// Facts. What is negotiated is known once the handshake is done.
  bool is_server() const noexcept;
  TlsVersion version() const noexcept;
  std::string_view cipher_suite() const noexcept;
  std::string_view group() const noexcept;        ///< of the key exchange: X25519, SECP256R1, ...
  std::string_view alpn() const noexcept;         ///< empty where none was agreed on
  std::string_view server_name() const noexcept;  ///< what the client asked for; empty for nothing
  bool resumed() const noexcept;                  ///< from a session ticket
  const Served* served() const noexcept;  ///< server: since the ClientHello was read, else nullptr

  /// Server: when the ClientHello was complete, which is before what to serve was chosen.
  std::chrono::steady_clock::time_point hello_received_at() const noexcept;

  /// Where ServerConfig or ClientOptions ask for it and TLS 1.3 was agreed on.
  const std::optional<ChannelBinding>& channel_binding() const noexcept;

  /// Client: what a later connection may resume; empty until the server has sent a ticket, which
  /// comes with the first bytes that are read. TLS 1.3 only.
  std::optional<ClientSession> session() const;

  /// The peer's certificate, empty where it sent none, and what it was sent with, the leaf first,
  /// in DER. Believe them only where `peer_is_verified`.
  std::optional<CertificateInfo> peer_certificate() const;
  std::span<const std::vector<std::uint8_t>> peer_chain() const noexcept;

  /// The path by which the peer was verified: from its certificate to a root that is trusted here,
  /// in DER. Empty where nothing was verified.
  std::span<const std::vector<std::uint8_t>> verified_chain() const noexcept;

  /// Which certificate of the peer was rejected, and by which rule: for operators, not for peers.
  /// Empty where none was.
  std::string_view refusal_reason() const noexcept;

  /// Its chain leads to a root that is trusted here, and, of a server, its name is the one dialled.
  bool peer_is_verified() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace livetls
