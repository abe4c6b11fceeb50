#pragma once

#include <cstdint>

#include "server_process.hpp"

namespace livetls::bench {

/// Below these, no server can go: what the handshake itself costs, and what the kernel takes for a
/// connection, an exchange and its end.
double in_memory_handshake_us(bool resumed, std::uint64_t handshakes);

/// Accepts, receives, sends, waits for the end and closes: one connection after the other, five
/// system calls each, without TLS.
ServerProcess bare_tcp_server(int processor);

/// Where peers that only pass bytes on find who sends them back.
ServerProcess plain_echo_server(int processor);

}  // namespace livetls::bench
