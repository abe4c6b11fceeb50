#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/intrusive/list_hook.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "livetls/async/deadline.hpp"
#include "livetls/async/task.hpp"
#include "livetls/base/result.hpp"
#include "livetls/net/socket.hpp"
#include "livetls/pki/certificate.hpp"
#include "livetls/pki/server_name.hpp"
#include "livetls/tls/client_context.hpp"
#include "livetls/tls/server_context.hpp"
#include "livetls/tls/tls_engine.hpp"
#include "livetls/tls/tls_policy.hpp"

namespace livetls {

/// A connection, accepted or made, over TLS or plain.
///
/// Thread safety: none; it belongs to one server thread. One read and one write may be outstanding
/// together. Lifetime: an accepted one lasts as long as the handler it was given to runs.
class Connection : public boost::intrusive::list_base_hook<
                       boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  /// `tls` is nullptr for a plain connection.
  Connection(StreamSocket socket, std::shared_ptr<const ServerConfig> tls);

  /// The client's side; Connector makes it.
  Connection(StreamSocket socket, std::shared_ptr<const ClientContext> tls, ServerName server_name,
             std::optional<ClientSession> session);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// Reads what is there, at least one byte; 0 says that the peer has ended its side properly.
  /// Errors: stream_truncated (TLS ended without close_notify), timed_out (the deadline),
  /// operation_aborted (the server is stopping), and the transport's.
  Task<Result<std::size_t>> read_some(boost::asio::mutable_buffer into);

  /// Writes everything, in as few records as may be. Errors: timed_out and the transport's.
  Task<Result<void>> write(boost::asio::const_buffer from);
  Task<Result<void>> write(std::string_view text);
  Task<Result<void>> write(std::span<const boost::asio::const_buffer> pieces);

  /// The same with callbacks, for what is made of Asio's operations, such as Beast's WebSockets.
  /// `done` is called once, on the connection's thread, and never from within these; where the peer
  /// has ended its side, with asio::error::eof. The memory must last until then.
  using Completion = std::function<void(boost::system::error_code, std::size_t)>;
  void async_read_some(boost::asio::mutable_buffer into, Completion done);
  void async_write(std::vector<boost::asio::const_buffer> pieces, Completion done);

  /// Says close_notify, waits a second at most for the peer's end, and closes. Called for every
  /// connection when its handler has returned.
  Task<void> close();

  /// Everything waits for this long at most: set it before, clear it after. When it passes, what
  /// waits fails with timed_out. A read that waits alone leaves the connection good for saying so;
  /// otherwise the connection is cut.
  Deadline& deadline() noexcept;

  /// The server is being stopped: finish what is in hand and return.
  bool stopping() const noexcept;

  /// Returns when the server begins to stop this connection, at once where it has.
  Task<void> stopped();

  /// Whether a stop lets reads go on, as in the middle of a request. At first it ends them with
  /// operation_aborted.
  void keep_reading_on_stop(bool keep) noexcept;

  bool is_tls() const noexcept;
  bool is_unix() const noexcept;  ///< over a Unix socket

  /// Where a proxy has told them, those of the connection it passes on. A Unix socket has none:
  /// theirs is 0.0.0.0, port 0.
  boost::asio::ip::tcp::endpoint remote_endpoint() const;
  boost::asio::ip::tcp::endpoint local_endpoint() const;
  Executor get_executor() noexcept;

  /// What this connection was served, whatever is current by now; on one that was made, the
  /// certificate that it shows. Empty and 0 on plain connections, as is `served`, nullptr then and
  /// until the ClientHello has been read.
  const Served* served() const noexcept;
  std::optional<Certificate> certificate() const;
  std::uint64_t generation() const noexcept;

  /// When the ClientHello had been read, which is before what to serve was chosen.
  std::chrono::steady_clock::time_point hello_received_at() const noexcept;

  TlsVersion tls_version() const noexcept;
  bool resumed() const noexcept;
  std::string_view alpn() const noexcept;
  std::string_view server_name() const noexcept;  ///< as the client sent it; empty where it did not

  /// See TlsEngine; empty unless the listener's or the connector's options ask for it.
  std::optional<ChannelBinding> channel_binding() const;

  /// The client's certificate, empty where it sent none; believe it only where `peer_is_verified`.
  std::optional<CertificateInfo> peer_certificate() const;
  std::span<const std::vector<std::uint8_t>> peer_chain() const noexcept;  ///< DER, the leaf first
  bool peer_is_verified() const noexcept;

  /// The path by which the peer was verified: from its certificate to a root that is trusted here,
  /// in DER. Empty where nothing was verified.
  std::span<const std::vector<std::uint8_t>> verified_chain() const noexcept;

  /// Which certificate of the peer was rejected, and by which rule: for operators, not for peers.
  std::string_view refusal_reason() const noexcept;

  /// For the Listener: the ClientHello alone, the rest of the TLS handshake (neither does anything
  /// on a plain connection), the notice of a stop, and the end of patience.
  Task<boost::system::error_code> receive_hello();
  Task<boost::system::error_code> handshake();
  Task<Result<void>> read_proxy_header();      ///< from then on, the endpoints are those it tells
  Task<void> refuse(std::string_view answer);  ///< sends it as it is, and closes
  void begin_stop();
  void cut();

  /// For the Connector: what this connection may be resumed with is handed over when it ends.
  void keep_session(std::function<void(ClientSession)> keep);

 private:
  struct State;

  std::unique_ptr<State> state_;
};

}  // namespace livetls
