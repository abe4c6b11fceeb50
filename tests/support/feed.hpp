#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>

#include "livetls/tls/tls_engine.hpp"

namespace livetls::test {

/// Puts all of it into an engine's input, as if a peer had sent it.
inline void feed(TlsEngine& engine, std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const boost::asio::mutable_buffer space = engine.input_space();
    const std::size_t count = std::min(space.size(), bytes.size());
    std::memcpy(space.data(), bytes.data(), count);
    engine.input_arrived(count);
    bytes = bytes.subspan(count);
  }
}

}  // namespace livetls::test
