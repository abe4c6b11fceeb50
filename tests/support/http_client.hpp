#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "livetls/base/task.hpp"
#include "livetls/tls/client_context.hpp"
#include "livetls/tls/tls_stream.hpp"

namespace livetls::test {

using HttpResponse = boost::beast::http::response<boost::beast::http::string_body>;

/// The client of a test, over any stream: every call waits for its end, and throws
/// boost::system::system_error where it fails or takes too long.
template <class Stream>
class HttpClient {
 public:
  static constexpr std::chrono::seconds kPatience{20};

  template <class... Args>
  explicit HttpClient(std::unique_ptr<boost::asio::io_context> io, TcpSocket socket, Args&&... args)
      : io_(std::move(io)), stream_(std::move(socket), std::forward<Args>(args)...) {}

  Stream& stream() { return stream_; }

  void handshake() {
    check(complete([&](auto token) { stream_.async_handshake(token); }));
  }

  void send(std::string_view text) {
    check(complete(
        [&](auto token) { boost::asio::async_write(stream_, boost::asio::buffer(text), token); }));
  }

  /// One response. To HEAD there comes no body, whatever the header says.
  HttpResponse response(bool to_head = false) {
    boost::beast::http::response_parser<boost::beast::http::string_body> parser;
    parser.body_limit(boost::none);
    parser.skip(to_head);
    check(complete(
        [&](auto token) { boost::beast::http::async_read(stream_, buffer_, parser, token); }));
    return parser.release();
  }

  HttpResponse get(std::string_view target) {
    send("GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return response();
  }

  /// What comes next, of exactly this size.
  std::string read(std::size_t size) {
    std::string text(size, '\0');
    check(complete(
        [&](auto token) { boost::asio::async_read(stream_, boost::asio::buffer(text), token); }));
    return text;
  }

  /// Why no more comes, once the bytes are read that still did: eof for a proper end.
  boost::system::error_code end() {
    char bytes[4096];
    for (;;) {
      const auto error =
          complete([&](auto token) { stream_.async_read_some(boost::asio::buffer(bytes), token); });
      if (error) return error;
      surplus_ = true;
    }
  }

  /// Whether the connection ended properly and without another byte.
  bool ends_quietly() {
    return buffer_.size() == 0 && end() == boost::asio::error::eof && !surplus_;
  }

  /// Says that no more will be sent.
  void finish_sending() { socket().shutdown(TcpSocket::shutdown_send); }

  /// Closes without a word.
  void vanish() { socket().close(); }

  /// Closes so that the peer gets a reset.
  void reset() {
    socket().set_option(boost::asio::socket_base::linger(true, 0));
    socket().close();
  }

 private:
  TcpSocket& socket() {
    if constexpr (std::is_same_v<Stream, TcpSocket>) {
      return stream_;
    } else {
      return stream_.next_layer();
    }
  }

  template <class Start>
  boost::system::error_code complete(Start start) {
    std::optional<boost::system::error_code> result;
    start([&result](boost::system::error_code error, std::size_t = 0) { result = error; });
    io_->restart();
    io_->run_for(kPatience);
    if (result) return *result;
    socket().close();  // what is under way must end before what it uses
    io_->restart();
    io_->run();
    return boost::asio::error::timed_out;
  }

  static void check(boost::system::error_code error) {
    if (error) throw boost::system::system_error(error);
  }

  std::unique_ptr<boost::asio::io_context> io_;
  Stream stream_;
  boost::beast::flat_buffer buffer_;
  bool surplus_ = false;  // something came where nothing should
};

using PlainClient = HttpClient<TcpSocket>;
using HttpsClient = HttpClient<TlsStream<TcpSocket>>;

inline TcpSocket connected_socket(boost::asio::io_context& io, std::uint16_t port) {
  TcpSocket socket(io.get_executor());
  socket.connect({boost::asio::ip::address_v4::loopback(), port});
  return socket;
}

/// Throws where nobody listens.
inline PlainClient plain_client(std::uint16_t port) {
  auto io = std::make_unique<boost::asio::io_context>();
  TcpSocket socket = connected_socket(*io, port);
  return PlainClient(std::move(io), std::move(socket));
}

inline bool refuses_connections(std::uint16_t port) {
  try {
    plain_client(port);
    return false;
  } catch (const boost::system::system_error&) {
    return true;
  }
}

/// Has shaken hands.
inline HttpsClient https_client(std::uint16_t port, ClientOptions options,
                                std::string_view name = "localhost") {
  auto io = std::make_unique<boost::asio::io_context>();
  TcpSocket socket = connected_socket(*io, port);
  HttpsClient client(std::move(io), std::move(socket), ClientContext::create(options).value(),
                     ServerName::parse(name).value());
  client.handshake();
  return client;
}

}  // namespace livetls::test
