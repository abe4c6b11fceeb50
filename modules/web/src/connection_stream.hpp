#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/system/error_code.hpp>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "livetls/net/connection.hpp"

namespace livetls::web {

/// A Connection as what Beast takes for a stream. What has been read from it already comes first.
class ConnectionStream {
 public:
  using executor_type = Executor;

  ConnectionStream(Connection& connection, std::string early)
      : connection_(connection), early_(std::move(early)) {}

  executor_type get_executor() noexcept { return connection_.get_executor(); }
  Connection& connection() noexcept { return connection_; }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return start([this, into = first(buffers)] { return read(into); }, token);
  }

  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    std::vector<boost::asio::const_buffer> pieces(boost::asio::buffer_sequence_begin(buffers),
                                                  boost::asio::buffer_sequence_end(buffers));
    return start([this, pieces = std::move(pieces)] { return write(pieces); }, token);
  }

 private:
  using Transferred = Result<std::size_t>;

  template <class Buffers>
  static boost::asio::mutable_buffer first(const Buffers& buffers) {
    const auto end = boost::asio::buffer_sequence_end(buffers);
    for (auto it = boost::asio::buffer_sequence_begin(buffers); it != end; ++it) {
      const boost::asio::mutable_buffer buffer(*it);
      if (buffer.size() > 0) return buffer;
    }
    return {};
  }

  Task<Transferred> read(boost::asio::mutable_buffer into);
  Task<Transferred> write(std::vector<boost::asio::const_buffer> pieces);

  template <class Begin, class Token>
  auto start(Begin begin, Token& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [this](auto handler, Begin begin_now) {
          boost::asio::co_spawn(
              get_executor(), begin_now(),
              [handler = std::move(handler)](std::exception_ptr failed, Transferred done) mutable {
                if (failed) std::rethrow_exception(failed);
                const auto error = done ? boost::system::error_code() : done.error().code;
                std::move(handler)(error, done ? *done : 0);
              });
        },
        token, std::move(begin));
  }

  Connection& connection_;
  std::string early_;
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
