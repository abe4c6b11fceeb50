#pragma once

#include <memory>

#include "link.hpp"
#include "livetls/tcp/message_stream.hpp"

namespace livetls::node {

/// Reads and writes a link's connection until it ends, behind the node handshake.
Task<void> run_connection(std::shared_ptr<Core> core, std::shared_ptr<Link> link,
                          std::shared_ptr<Lane> lane, Connection& connection,
                          tcp::MessageStream& messages);

}  // namespace livetls::node
