#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/system/system_error.hpp>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "support/blocking_stream.hpp"

namespace livetls::test {

/// A BlockingStream with the blocking operations of Asio's concept, for a client of Beast's: its
/// asynchronous ones take a compiler three times as long.
template <class Stream>
class SyncStream : public BlockingStream<Stream> {
  using Base = BlockingStream<Stream>;
  using Error = boost::system::error_code;

 public:
  using executor_type = typename Stream::executor_type;
  using Base::complete;

  template <class... Args>
  explicit SyncStream(std::uint16_t port, Args&&... args)
      : Base(port, "127.0.0.1", std::forward<Args>(args)...) {}

  executor_type get_executor() noexcept { return this->stream().get_executor(); }

  template <class Buffers>
  std::size_t read_some(const Buffers& buffers, Error& error) {
    const auto into = first<boost::asio::mutable_buffer>(buffers);
    return sized([&](auto token) { this->stream().async_read_some(into, token); }, error);
  }

  template <class Buffers>
  std::size_t write_some(const Buffers& buffers, Error& error) {
    const auto from = first<boost::asio::const_buffer>(buffers);
    return sized([&](auto token) { this->stream().async_write_some(from, token); }, error);
  }

  template <class Buffers>
  std::size_t read_some(const Buffers& buffers) {
    return checked([&](Error& error) { return read_some(buffers, error); });
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers) {
    return checked([&](Error& error) { return write_some(buffers, error); });
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

  template <class Start>
  std::size_t sized(Start start, Error& result) {
    std::size_t size = 0;
    result = complete([&](auto token) {
      start([&size, token](Error error, std::size_t bytes) {
        size = bytes;
        token(error);
      });
    });
    return size;
  }

  template <class Try>
  static std::size_t checked(Try attempt) {
    Error error;
    const std::size_t bytes = attempt(error);
    Base::check(error);
    return bytes;
  }
};

/// How Beast ends a WebSocket.
template <class Stream>
void teardown(boost::beast::role_type, SyncStream<Stream>& stream, boost::system::error_code&) {
  stream.vanish();
}

}  // namespace livetls::test
