#pragma once

#include <memory>

#include "link.hpp"
#include "livetls/tcp/message_stream.hpp"

namespace livetls::node {

/// Reads and writes a link's connection until it ends, behind the node handshake.
Task<void> run_connection(std::shared_ptr<Core> core, OpenLane opened, Connection& connection,
                          tcp::MessageStream& messages);

}  // namespace livetls::node
