#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "livetls/async/task.hpp"
#include "livetls/base/result.hpp"
#include "livetls/net/socket.hpp"

namespace livetls {

struct DialTimes {
  std::chrono::steady_clock::duration timeout;        ///< for all attempts together
  std::chrono::steady_clock::duration attempt_delay;  ///< from one attempt to the next
};

/// Tries endpoints in turn, each when the attempt before has failed or `attempt_delay` has passed;
/// the first connection is taken (RFC 8305, section 5). Errors: timed_out, and the last attempt's.
Task<Result<StreamSocket>> connect_to_first(std::vector<StreamSocket::endpoint_type> endpoints,
                                            DialTimes times);

/// One of each address family by turns; the first decides which comes first (RFC 8305, section 4).
std::vector<StreamSocket::endpoint_type> by_turns(
    const std::vector<boost::asio::ip::tcp::endpoint>& endpoints);

/// Connects to a name, an address, or "unix:" and a path. Errors: those of connect_to_first, and
/// the resolver's.
Task<Result<StreamSocket>> dial(std::string host, std::uint16_t port, DialTimes times);

}  // namespace livetls
