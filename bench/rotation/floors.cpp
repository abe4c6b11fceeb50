#include "floors.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <stdexcept>
#include <string_view>

#include "echo.hpp"
#include "livetls/net/runtime.hpp"
#include "livetls/tcp/server.hpp"
#include "load/memory_handshakes.hpp"

namespace livetls::bench {

double in_memory_handshake_us(bool resumed, std::uint64_t handshakes) {
  MemoryHandshakes pair(KeyType::ecdsa_p256, TlsVersion::tls1_3);
  if (!pair.run({})) throw std::runtime_error("the handshake in memory failed");
  const double before = pair.server_seconds();
  for (std::uint64_t i = 0; i < handshakes; ++i) {
    std::optional<ClientSession> session;
    if (resumed) session = pair.session();
    if (resumed != session.has_value()) throw std::runtime_error("there is no ticket");
    if (!pair.run(session)) throw std::runtime_error("the handshake in memory failed");
  }
  return 1e6 * (pair.server_seconds() - before) / static_cast<double>(handshakes);
}

namespace {

int listen_on_loopback(std::uint16_t& port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener, generic, size) != 0 || listen(listener, 4096) != 0 ||
      getsockname(listener, generic, &size) != 0) {
    throw std::runtime_error("cannot listen on loopback");
  }
  port = ntohs(address.sin_port);
  return listener;
}

void serve_one(int listener) {
  static constexpr std::string_view kResponse =
      "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
  char buffer[4096];
  const int connection = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (recv(connection, buffer, sizeof buffer, 0) > 0) {
    send(connection, kResponse.data(), kResponse.size(), MSG_NOSIGNAL);
    while (recv(connection, buffer, sizeof buffer, 0) > 0) {
    }
  }
  close(connection);
}

}  // namespace

ServerProcess bare_tcp_server(int processor) {
  return ServerProcess::fork_of(processor, [](const auto& listening) {
    std::uint16_t port = 0;
    const int listener = listen_on_loopback(port);
    listening(port);
    for (;;) serve_one(listener);
  });
}

ServerProcess plain_echo_server(int processor) {
  return ServerProcess::fork_of(processor, [](const auto& listening) {
    Runtime runtime({.threads = 1, .stop_on_signals = false});
    tcp::Server server(runtime, nullptr, echo, {.plain = true});
    listening(server.port());
    runtime.run();
  });
}

}  // namespace livetls::bench
