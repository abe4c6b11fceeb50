#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "support/blocking_stream.hpp"

namespace livetls::test {

/// A stream over TCP with Asio's blocking operations, for a client of Beast's: its asynchronous
/// ones take a compiler three times as long. What takes too long fails with timed_out.
template <class Stream>
class SyncStream {
 public:
  using executor_type = typename Stream::executor_type;

  template <class... Args>
  explicit SyncStream(std::uint16_t port, Args&&... args)
      : stream_(connected_socket(io_, port, "127.0.0.1"), std::forward<Args>(args)...) {}

  executor_type get_executor() noexcept { return stream_.get_executor(); }
  Stream& next_layer() noexcept { return stream_; }

  template <class Buffers>
  std::size_t read_some(const Buffers& buffers, boost::system::error_code& error) {
    const auto into = first<boost::asio::mutable_buffer>(buffers);
    return complete([&](auto handler) { stream_.async_read_some(into, handler); }, error);
  }

  template <class Buffers>
  std::size_t write_some(const Buffers& buffers, boost::system::error_code& error) {
    const auto from = first<boost::asio::const_buffer>(buffers);
    return complete([&](auto handler) { stream_.async_write_some(from, handler); }, error);
  }

  // As Beast's concept has it.
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers) {
    return checked([&](auto& error) { return read_some(buffers, error); });
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers) {
    return checked([&](auto& error) { return write_some(buffers, error); });
  }

  /// Starts an operation with a handler, and returns when that was called.
  template <class Start>
  std::size_t complete(Start start, boost::system::error_code& result) {
    std::size_t size = 0;
    start([&](boost::system::error_code error, std::size_t bytes = 0) {
      result = error;
      size = bytes;
    });
    io_.restart();
    io_.run_for(std::chrono::seconds(20));
    if (!io_.stopped()) {  // what is under way must end before what it uses
      stream_.lowest_layer().close();
      io_.run();
      result = boost::asio::error::timed_out;
    }
    return size;
  }

 private:
  template <class Buffer, class Buffers>
  static Buffer first(const Buffers& buffers) {
    const auto end = boost::asio::buffer_sequence_end(buffers);
    for (auto at = boost::asio::buffer_sequence_begin(buffers); at != end; ++at) {
      if (Buffer(*at).size() > 0) return *at;
    }
    return {};
  }

  template <class Try>
  static std::size_t checked(Try attempt) {
    boost::system::error_code error;
    const std::size_t bytes = attempt(error);
    if (error) throw boost::system::system_error(error);
    return bytes;
  }

  boost::asio::io_context io_;
  Stream stream_;
};

/// How Beast ends a WebSocket.
template <class Stream>
void teardown(boost::beast::role_type, SyncStream<Stream>& stream, boost::system::error_code&) {
  stream.next_layer().lowest_layer().close();
}

}  // namespace livetls::test
