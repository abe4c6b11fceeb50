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
#include <type_traits>
#include <utility>

#include "livetls/async/task.hpp"
#include "livetls/net/socket.hpp"

namespace livetls::test {

/// Throws where nobody listens.
inline TcpSocket connected_socket(boost::asio::io_context& io, std::uint16_t port,
                                  const std::string& address) {
  TcpSocket socket(io.get_executor());
  socket.connect({boost::asio::ip::make_address(address), port});
  socket.set_option(boost::asio::ip::tcp::no_delay(true));
  return socket;
}

/// A stream over TCP that is used as if it were blocking. `send` and `read` throw
/// boost::system::system_error where they fail; what takes too long fails with timed_out.
template <class Stream>
class BlockingStream {
 public:
  static constexpr std::chrono::seconds kPatience{20};

  /// Connects; `arguments` are for the stream, after its socket.
  template <class... Args>
  explicit BlockingStream(std::uint16_t port, const std::string& address, Args&&... arguments)
      : io_(std::make_unique<boost::asio::io_context>()),
        stream_(connected_socket(*io_, port, address), std::forward<Args>(arguments)...) {}

  Stream& stream() { return stream_; }
  const Stream& stream() const { return stream_; }

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

  /// Closes without a word.
  void vanish() { socket().close(); }

 protected:
  TcpSocket& socket() {
    if constexpr (std::is_same_v<Stream, TcpSocket>) {
      return stream_;
    } else {
      return stream_.next_layer();
    }
  }

  /// Starts an operation with a completion token and waits for its end.
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

 private:
  std::unique_ptr<boost::asio::io_context> io_;
  Stream stream_;
};

}  // namespace livetls::test
