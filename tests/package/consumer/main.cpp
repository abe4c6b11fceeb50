// A program outside livetls, which serves with what was installed and replaces its certificate.

#include <iostream>

#include "livetls/net/runtime.hpp"
#include "livetls/node/node.hpp"
#include "livetls/pki/self_signed.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "livetls/web/server.hpp"

int main() try {
  const auto certificate = [] {
    return livetls::self_signed({.organization = "consumer"}).value();
  };
  const auto manager = livetls::CertManager::create(certificate()).value();

  livetls::Runtime runtime;
  livetls::web::Server server(runtime, manager, livetls::web::Router());
  const livetls::node::Node node(runtime, "consumer@localhost", {.cookie = "of the consumer"});
  manager->update(certificate()).value();

  std::cout << "port " << server.port() << ", generation " << manager->generation() << '\n';
  return manager->generation() == 2 ? 0 : 1;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
