#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "livetls/base/result.hpp"
#include "livetls/base/task.hpp"

namespace livetls {

struct DialTimes {
  std::chrono::steady_clock::duration timeout;        ///< for all attempts together
  std::chrono::steady_clock::duration attempt_delay;  ///< from one attempt to the next
};

/// Connects to a name, an address, or "unix:" and a path. What a name resolves to is tried in turn,
/// both address families by turns, each when the attempt before has failed or `attempt_delay` has
/// passed; the first connection is taken (RFC 8305, section 5). Errors: timed_out, and the
/// resolver's or the last attempt's.
Task<Result<StreamSocket>> dial(std::string host, std::uint16_t port, DialTimes times);

}  // namespace livetls
