#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "livetls/net/socket.hpp"
#include "livetls/tls/client_context.hpp"
#include "livetls/tls/tls_stream.hpp"
#include "support/blocking_stream.hpp"

namespace livetls::test {

using HttpResponse = boost::beast::http::response<boost::beast::http::string_body>;

/// Speaks HTTP/1.1 over any stream.
template <class Stream>
class HttpClient : public BlockingStream<Stream> {
  using Base = BlockingStream<Stream>;

 public:
  using Base::Base;
  using Base::stream;

  void handshake() requires(!std::is_same_v<Stream, TcpSocket>) {
    check(complete([&](auto token) { stream().async_handshake(token); }));
  }

  /// One response. To HEAD there comes no body, whatever the header says.
  HttpResponse response(bool to_head = false) {
    boost::beast::http::response_parser<boost::beast::http::string_body> parser;
    parser.body_limit(boost::none);
    parser.skip(to_head);
    check(complete(
        [&](auto token) { boost::beast::http::async_read(stream(), buffer_, parser, token); }));
    return parser.release();
  }

  HttpResponse get(std::string_view target) {
    this->send("GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return response();
  }

  /// Why no more comes, once the bytes are read that still did: eof for a proper end.
  boost::system::error_code end() {
    char bytes[4096];
    for (;;) {
      const auto error = complete(
          [&](auto token) { stream().async_read_some(boost::asio::buffer(bytes), token); });
      if (error) return error;
      surplus_ = true;
    }
  }

  bool has_surplus() const { return surplus_ || buffer_.size() > 0; }

  /// Whether the connection ended properly and without another byte.
  bool ends_quietly() {
    return buffer_.size() == 0 && end() == boost::asio::error::eof && !has_surplus();
  }

  /// Says that no more will be sent.
  void finish_sending() { socket().shutdown(TcpSocket::shutdown_send); }

  /// Closes so that the peer gets a reset.
  void reset() {
    socket().set_option(boost::asio::socket_base::linger(true, 0));
    socket().close();
  }

 private:
  using Base::check;
  using Base::complete;
  using Base::socket;

  boost::beast::flat_buffer buffer_;
  bool surplus_ = false;  // something came where nothing should
};

// Compiled once.
extern template class HttpClient<TcpSocket>;
extern template class HttpClient<TlsStream<TcpSocket>>;

using PlainClient = HttpClient<TcpSocket>;
using HttpsClient = HttpClient<TlsStream<TcpSocket>>;

/// Throws where nobody listens.
inline PlainClient plain_client(std::uint16_t port) { return PlainClient(port, "127.0.0.1"); }

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
  HttpsClient client(port, "127.0.0.1", ClientContext::create(std::move(options)).value(),
                     ServerName::parse(name).value());
  client.handshake();
  return client;
}

}  // namespace livetls::test
