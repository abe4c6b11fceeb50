// An HTTPS server in 30 lines. SIGHUP, or whatever you like, changes its certificate.

#include <csignal>
#include <iostream>

#include "livetls/net/runtime.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "livetls/web/server.hpp"

using namespace livetls;

int main(int argc, char** argv) try {
  if (argc != 4) throw std::invalid_argument("usage: hello CERT_FILE KEY_FILE PORT");
  const auto load = [argv] { return Certificate::load(argv[1], argv[2]); };

  Runtime runtime;
  const auto manager = CertManager::create(load().value()).value();
  web::Router router;
  router.get("/hello/{name}", [](web::Request& request) {
    return web::Response::text("Hello, " + request.param("name") + "!\n");
  });
  const auto port = static_cast<std::uint16_t>(std::stoi(argv[3]));
  web::Server server(runtime, manager, std::move(router), {.port = port});

  runtime.on_signal(SIGHUP, [&] {
    const auto renewed = load();
    const auto receipt = renewed ? manager->update(*renewed) : renewed.error();
    std::cerr << (receipt ? "updated" : "kept the old: " + receipt.error().message()) << std::endl;
  });
  std::cout << "https://localhost:" << server.port() << "/hello/world" << std::endl;
  runtime.run();
} catch (const std::exception& error) {
  std::cerr << "hello: " << error.what() << '\n';
  return 1;
}
