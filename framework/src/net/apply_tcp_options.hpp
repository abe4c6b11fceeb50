#pragma once

#include "livetls/net/tcp_options.hpp"

namespace livetls {

/// Throws std::invalid_argument for what is out of range.
void check(const TcpOptions& options);

/// To a socket, or to an acceptor, whose connections have the same. Throws std::system_error.
void apply(const TcpOptions& options, int socket);

}  // namespace livetls
