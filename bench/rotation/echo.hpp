#pragma once

#include <array>

#include "livetls/net/connection.hpp"

namespace livetls::bench {

inline Task<void> echo(Connection& connection) {
  std::array<char, 16 * 1024> buffer;
  for (;;) {
    const Result<std::size_t> size = co_await connection.read_some(boost::asio::buffer(buffer));
    if (!size || *size == 0) co_return;
    if (!co_await connection.write(std::string_view(buffer.data(), *size))) co_return;
  }
}

}  // namespace livetls::bench
