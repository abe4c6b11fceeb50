#pragma once

#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <optional>
#include <string>
#include <vector>

#include "livetls/async/task.hpp"
#include "livetls/base/result.hpp"
#include "livetls/net/socket.hpp"

namespace livetls {

/// Addresses, by the networks they are in.
class Networks {
 public:
  /// Such as "10.0.0.0/8", "::1/128" or a single address, and "unix:" for all Unix sockets. Throws
  /// std::invalid_argument.
  explicit Networks(const std::vector<std::string>& list);

  bool contains(const boost::asio::ip::address& address) const;
  bool contains_unix() const noexcept { return unix_; }
  bool empty() const noexcept { return v4_.empty() && v6_.empty() && !unix_; }

 private:
  std::vector<boost::asio::ip::network_v4> v4_;
  std::vector<boost::asio::ip::network_v6> v6_;
  bool unix_ = false;
};

/// What a proxy says of the connection that it passes on.
struct ProxiedConnection {
  boost::asio::ip::tcp::endpoint remote;
  boost::asio::ip::tcp::endpoint local;
};

/// Reads a header of the PROXY protocol, version 1 or 2, and not a byte more. Nothing where the
/// proxy speaks for itself. Errors: proxy_header_malformed, and the transport's.
Task<Result<std::optional<ProxiedConnection>>> read_proxy_header(StreamSocket& socket);

}  // namespace livetls
