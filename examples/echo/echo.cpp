// A raw TLS echo server whose self-signed certificate is replaced at every SIGHUP.

#include <array>
#include <csignal>
#include <iostream>

#include "livetls/net/runtime.hpp"
#include "livetls/pki/self_signed.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "livetls/tcp/server.hpp"

using namespace livetls;

Task<void> echo(tcp::Connection& connection) {
  std::array<char, 4096> buffer;
  for (;;) {
    const auto size = co_await connection.read_some(boost::asio::buffer(buffer));
    if (!size || *size == 0) co_return;
    const auto sent = co_await connection.write(std::string_view(buffer.data(), *size));
    if (!sent) co_return;
  }
}

int main(int argc, char** argv) try {
  if (argc != 2) throw std::invalid_argument("usage: echo PORT");
  Runtime runtime;
  const auto manager = CertManager::create(self_signed().value()).value();
  const auto port = static_cast<std::uint16_t>(std::stoi(argv[1]));
  tcp::Server server(runtime, manager, echo, {.port = port});

  runtime.on_signal(SIGHUP, [&] {
    manager->update(self_signed().value()).value();
    std::cout << "generation " << manager->generation() << std::endl;
  });
  std::cout << "listening on port " << server.port() << std::endl;
  runtime.run();
} catch (const std::exception& error) {
  std::cerr << "echo: " << error.what() << '\n';
  return 1;
}
