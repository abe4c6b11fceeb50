#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "livetls/base/task.hpp"
#include "livetls/tls/client_context.hpp"
#include "livetls/tls/tls_stream.hpp"

namespace livetls::test {

/// A TLS client that is used as if it were blocking. `send` and `read` throw
/// boost::system::system_error where they fail; what takes too long fails with timed_out.
class TlsClient {
 public:
  static constexpr std::chrono::seconds kPatience{20};

  /// Connects, and says nothing yet.
  TlsClient(std::uint16_t port, std::shared_ptr<const ClientContext> context,
            std::string_view name = "localhost", const std::string& address = "127.0.0.1")
      : io_(std::make_unique<boost::asio::io_context>()),
        stream_(connect(*io_, port, address), std::move(context), ServerName::parse(name).value()) {
  }

  boost::system::error_code handshake() {
    return complete([&](auto token) { stream_.async_handshake(token); });
  }

  void send(std::string_view text) {
    check(complete(
        [&](auto token) { boost::asio::async_write(stream_, boost::asio::buffer(text), token); }));
  }

  /// What comes next, of exactly this size.
  std::string read(std::size_t size) {
    std::string text(size, '\0');
    check(complete(
        [&](auto token) { boost::asio::async_read(stream_, boost::asio::buffer(text), token); }));
    return text;
  }

  /// How the connection ends where nothing more should come: eof for a proper end. No error where a
  /// byte comes.
  boost::system::error_code end() {
    char byte;
    return complete(
        [&](auto token) { stream_.async_read_some(boost::asio::buffer(&byte, 1), token); });
  }

  boost::system::error_code shutdown() {
    return complete([&](auto token) { stream_.async_shutdown(token); });
  }

  /// Closes without a word.
  void vanish() { stream_.next_layer().close(); }

  const TlsEngine& tls() const { return stream_.tls(); }

 private:
  static TcpSocket connect(boost::asio::io_context& io, std::uint16_t port,
                           const std::string& address) {
    TcpSocket socket(io.get_executor());
    socket.connect({boost::asio::ip::make_address(address), port});
    socket.set_option(boost::asio::ip::tcp::no_delay(true));
    return socket;
  }

  template <class Start>
  boost::system::error_code complete(Start start) {
    std::optional<boost::system::error_code> result;
    start([&result](boost::system::error_code error, std::size_t = 0) { result = error; });
    io_->restart();
    io_->run_for(kPatience);
    if (result) return *result;
    vanish();  // what is under way must end before what it uses
    io_->restart();
    io_->run();
    return boost::asio::error::timed_out;
  }

  static void check(boost::system::error_code error) {
    if (error) throw boost::system::system_error(error);
  }

  std::unique_ptr<boost::asio::io_context> io_;
  TlsStream<TcpSocket> stream_;
};

/// One that has shaken hands.
inline TlsClient tls_client(std::uint16_t port, ClientOptions options,
                            std::string_view name = "localhost") {
  TlsClient client(port, ClientContext::create(std::move(options)).value(), name);
  if (const auto error = client.handshake()) throw boost::system::system_error(error);
  return client;
}

}  // namespace livetls::test
