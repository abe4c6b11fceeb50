#pragma once

#include <vector>

#include "livetls/tcp/server.hpp"

namespace livetls::tcp {

enum class Balance {
  round_robin,   ///< one after the other
  least_loaded,  ///< whoever has the fewest connections, the first of several
};

/// A handler that gives each connection to one of `workers`, whole. What a worker throws is its
/// connection's alone. Throws std::invalid_argument where there are none.
///
/// Thread safety: as for any handler, which workers on different threads run at the same time.
Server::Handler balance(std::vector<Server::Handler> workers, Balance how = Balance::round_robin);

}  // namespace livetls::tcp
