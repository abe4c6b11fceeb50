#pragma once

#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <cstdint>
#include <string>
#include <utility>

#include "livetls/net/socket.hpp"
#include "livetls/tls/tls_stream.hpp"
#include "support/sync_stream.hpp"

namespace livetls::test {

/// A client of Beast's.
template <class Stream>
class WebSocketClient {
 public:
  template <class... Args>
  explicit WebSocketClient(std::uint16_t port, Args&&... args)
      : stream_(port, std::forward<Args>(args)...) {}

  boost::beast::websocket::stream<SyncStream<Stream>>& stream() { return stream_; }

  boost::system::error_code handshake(const std::string& target = "/echo",
                                      const std::string& origin = {}) {
    if (!origin.empty()) {
      stream_.set_option(boost::beast::websocket::stream_base::decorator(
          [origin](boost::beast::websocket::request_type& request) {
            request.set("Origin", origin);
          }));
    }
    stream_.handshake(response_, "localhost", target, error_);
    return error_;
  }

  int status() const { return static_cast<int>(response_.result_int()); }

  boost::system::error_code send(const std::string& text, bool is_text = true) {
    stream_.text(is_text);
    stream_.write(boost::asio::buffer(text), error_);
    return error_;
  }

  /// Empty where the connection has ended.
  std::string receive() {
    boost::beast::flat_buffer buffer;
    stream_.read(buffer, error_);
    return error_ ? std::string() : boost::beast::buffers_to_string(buffer.data());
  }

  int close_code() const { return stream_.reason().code; }
  boost::system::error_code error() const { return error_; }

 private:
  boost::beast::websocket::stream<SyncStream<Stream>> stream_;
  boost::beast::websocket::response_type response_;
  boost::system::error_code error_;
};

// Compiled once.
extern template class WebSocketClient<TcpSocket>;
extern template class WebSocketClient<TlsStream<TcpSocket>>;

}  // namespace livetls::test
