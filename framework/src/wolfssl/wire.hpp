#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "tls/handshake_watch.hpp"
#include "tls/input_buffer.hpp"
#include "wolfssl/wolfssl.hpp"

namespace livetls::wolfssl {

struct Confirmation;

/// What a session's callbacks work on; the engine owns it.
struct Wire {
  InputBuffer input;
  std::vector<std::uint8_t> output;
  std::optional<HandshakeWatch> watch;     // of the input, until the handshake is done
  boost::system::error_code not_received;  // what the watch has refused
  Confirmation* confirmation = nullptr;    // of a server, in handshakes with clients
  std::optional<std::chrono::sys_seconds> authenticated_at;  // in the session that is resumed

  /// Room for so many bytes of output, large ones in memory that was given back.
  void reserve_output(std::size_t bytes);

  /// See TlsEngine::give_back.
  static void give_back_output(std::vector<std::uint8_t>& memory) noexcept;
};

/// How every session of ours moves bytes: from its wire's input, to its wire's output.
int receive_callback(WOLFSSL*, char* into, int size, void* wire);
int send_callback(WOLFSSL*, char* from, int size, void* wire);

}  // namespace livetls::wolfssl
