#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "livetls/net/socket.hpp"
#include "livetls/tls/client_context.hpp"
#include "livetls/tls/tls_stream.hpp"
#include "support/blocking_stream.hpp"

namespace livetls::test {

/// A TLS client whose every step a test may take by itself.
class TlsClient : public BlockingStream<TlsStream<TcpSocket>> {
 public:
  /// Connects, and says nothing yet.
  TlsClient(std::uint16_t port, std::shared_ptr<const ClientContext> context,
            std::string_view name = "localhost", const std::string& address = "127.0.0.1")
      : BlockingStream(port, address, std::move(context), ServerName::parse(name).value()) {}

  boost::system::error_code handshake() {
    return complete([&](auto token) { stream().async_handshake(token); });
  }

  /// How the connection ends where nothing more should come: eof for a proper end. No error where a
  /// byte comes.
  boost::system::error_code end() {
    char byte;
    return complete(
        [&](auto token) { stream().async_read_some(boost::asio::buffer(&byte, 1), token); });
  }

  boost::system::error_code shutdown() {
    return complete([&](auto token) { stream().async_shutdown(token); });
  }

  const TlsEngine& tls() const { return stream().tls(); }
};

/// One that has shaken hands.
inline TlsClient tls_client(std::uint16_t port, ClientOptions options,
                            std::string_view name = "localhost") {
  TlsClient client(port, ClientContext::create(std::move(options)).value(), name);
  if (const auto error = client.handshake()) throw boost::system::system_error(error);
  return client;
}

}  // namespace livetls::test
