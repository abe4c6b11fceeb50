#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "livetls/net/connection.hpp"

namespace livetls::web {

/// A Connection as what Beast takes for a stream. What has been read from it already comes first.
/// `write_timeout` is for each 256 KiB; the client that takes longer is cut off.
class ConnectionStream {
 public:
  using executor_type = Executor;
  using Clock = std::chrono::steady_clock;

  ConnectionStream(Connection& connection, std::string early, Clock::duration write_timeout)
      : connection_(connection), early_(std::move(early)), write_timeout_(write_timeout) {}

  executor_type get_executor() noexcept { return connection_.get_executor(); }
  Connection& connection() noexcept { return connection_; }

  /// When the last bytes came.
  Clock::time_point heard_at() const noexcept { return heard_at_; }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return start([this, into = first(buffers)](auto done) { read(into, std::move(done)); }, token);
  }

  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    std::vector<boost::asio::const_buffer> pieces(boost::asio::buffer_sequence_begin(buffers),
                                                  boost::asio::buffer_sequence_end(buffers));
    return start([this, pieces = std::move(pieces)](auto done) { write(pieces, std::move(done)); },
                 token);
  }

 private:
  template <class Buffers>
  static boost::asio::mutable_buffer first(const Buffers& buffers) {
    const auto end = boost::asio::buffer_sequence_end(buffers);
    for (auto it = boost::asio::buffer_sequence_begin(buffers); it != end; ++it) {
      const boost::asio::mutable_buffer buffer(*it);
      if (buffer.size() > 0) return buffer;
    }
    return {};
  }

  void read(boost::asio::mutable_buffer into, Connection::Completion done);
  void write(std::vector<boost::asio::const_buffer> pieces, Connection::Completion done);

  template <class Begin, class Token>
  static auto start(Begin begin, Token& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [](auto handler, Begin begin_now) {
          // Beast's handlers can only be moved.
          const auto shared = std::make_shared<decltype(handler)>(std::move(handler));
          begin_now([shared](boost::system::error_code error, std::size_t bytes) {
            std::move (*shared)(error, bytes);
          });
        },
        token, std::move(begin));
  }

  Connection& connection_;
  std::string early_;
  const Clock::duration write_timeout_;
  Clock::time_point heard_at_ = Clock::now();
};

/// Beast's points of customisation: the connection is closed by its listener, TLS and all.
inline void beast_close_socket(ConnectionStream& stream) { stream.connection().cut(); }

inline void teardown(boost::beast::role_type, ConnectionStream&, boost::system::error_code& error) {
  error = {};
}

template <class TeardownHandler>
void async_teardown(boost::beast::role_type, ConnectionStream& stream, TeardownHandler&& handler) {
  boost::asio::post(stream.get_executor(),
                    [handler = std::forward<TeardownHandler>(handler)]() mutable {
                      std::move(handler)(boost::system::error_code());
                    });
}

}  // namespace livetls::web
