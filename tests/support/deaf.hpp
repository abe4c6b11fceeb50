#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <vector>

namespace livetls::test {

/// Somebody who accepts no connection, and whose queue is full.
class Deaf {
 public:
  Deaf() : acceptor_(io_, {boost::asio::ip::address_v4::loopback(), 0}, false) {
    acceptor_.listen(0);
    for (int i = 0; i < 2; ++i) {
      queued_.emplace_back(io_);
      queued_.back().non_blocking(true, ignored_);
      queued_.back().async_connect(acceptor_.local_endpoint(), [](auto) {});
    }
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::vector<boost::asio::ip::tcp::socket> queued_;
  boost::system::error_code ignored_;
};

}  // namespace livetls::test
