#pragma once

#include <array>
#include <cstdio>
#include <string>
#include <string_view>

#include "livetls/net/connection.hpp"

namespace livetls::test {

/// What a connection was served, as text of one size.
struct Told {
  std::string fingerprint;  ///< lower-case hexadecimal
  std::uint64_t generation;

  static constexpr std::size_t kTextSize = 64 + 1 + 10 + 1;

  static std::string text(const Connection& connection) {
    std::array<char, 16> generation;
    std::snprintf(generation.data(), generation.size(), " %010llu\n",
                  static_cast<unsigned long long>(connection.generation()));
    return to_hex(connection.certificate()->leaf().fingerprint) + generation.data();
  }

  static Told parse(std::string_view text) {
    return {std::string(text.substr(0, 64)), std::stoull(std::string(text.substr(65, 10)))};
  }
};

/// A handler for Listeners: answers whatever it is sent with what its connection was served.
inline Task<void> tell_what_is_served(Connection& connection) {
  std::array<char, 64> question;
  for (;;) {
    const auto read = co_await connection.read_some(boost::asio::buffer(question));
    if (!read || *read == 0) co_return;
    const std::string answer = Told::text(connection);
    if (!co_await connection.write(answer)) co_return;
  }
}

/// Asks a server that runs tell_what_is_served.
template <class Client>
Told ask_what_was_served(Client& client) {
  client.send("?");
  return Told::parse(client.read(Told::kTextSize));
}

}  // namespace livetls::test
