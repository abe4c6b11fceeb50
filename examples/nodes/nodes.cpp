// A node that passes on what is typed. Start some, tell each of those before it, and type
// "NAME@HOST TEXT".
//
//     nodes NAME@HOST CERT_FILE KEY_FILE CA_FILE PORT [OTHER@HOST=PORT...]
//
// At SIGHUP it reads its certificate, its key and the authorities again.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <cerrno>
#include <csignal>
#include <iostream>
#include <stdexcept>
#include <utility>

#include "livetls/base/log.hpp"
#include "livetls/node/node.hpp"

using namespace livetls;

namespace {

Result<CertSet> load(char** files) {
  auto certificate = Certificate::load(files[0], files[1]);
  if (!certificate) return certificate.error();
  auto authorities = TrustBundle::load(files[2]);
  if (!authorities) return authorities.error();
  return CertSet{
      .default_identity = Identity(std::move(*certificate)).with(ClientAuth::require_and_verify),
      .client_roots = std::move(*authorities)};
}

node::Route route_to(const std::string& other) {
  const std::size_t equals = other.find('=');
  if (equals == other.npos) throw std::invalid_argument("another node is NAME@HOST=PORT");
  return {.pattern = other.substr(0, equals),
          .port = static_cast<std::uint16_t>(std::stoi(other.substr(equals + 1)))};
}

/// Where texts from others arrive.
Task<Result<node::Payload>> hear(node::Message message) {
  const node::Peer& from = *message.from;
  std::cout << from.name.text() << " (" << from.certificate->subject
            << "): " << message.payload.bytes() << std::endl;
  co_return node::Payload("heard");
}

/// False at the end of input; a signal is none.
bool read_line(std::string& line) {
  errno = 0;
  while (!std::getline(std::cin, line)) {
    if (std::exchange(errno, 0) != EINTR) return false;
    std::cin.clear();
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 6) {
    throw std::invalid_argument(
        "usage: nodes NAME@HOST CERT_FILE KEY_FILE CA_FILE PORT [OTHER@HOST=PORT...]");
  }
  set_log_level(LogLevel::warning);
  Runtime runtime({.stop_on_signals = false});
  const auto manager = CertManager::create(load(argv + 2).value()).value();
  node::NodeOptions options{.cert_manager = manager,
                            .acceptors = {{.port = static_cast<std::uint16_t>(std::stoi(argv[5]))}},
                            .cookie = "only for an example"};
  for (int i = 6; i < argc; ++i) options.routes.push_back(route_to(argv[i]));
  options.services.requests["say"] = hear;
  node::Node node(runtime, argv[1], std::move(options));

  runtime.on_signal(SIGHUP, [&] {
    const auto renewed = load(argv + 2);
    const auto receipt = renewed ? manager->update(*renewed) : renewed.error();
    std::cout << (receipt ? "updated" : "kept the old: " + receipt.error().message()) << std::endl;
  });
  std::cout << argv[1] << "=" << node.ports()[0] << std::endl;
  runtime.start();
  for (std::string line; read_line(line);) {
    const std::string to = line.substr(0, line.find(' '));
    const std::string text = line.substr(std::min(to.size() + 1, line.size()));
    auto asked = node.request(to, "say", text);
    const Result<node::Payload> reply =
        boost::asio::co_spawn(runtime.executor(0), std::move(asked), boost::asio::use_future).get();
    std::cout << (reply ? reply->bytes() : reply.error().message()) << std::endl;
  }
} catch (const std::exception& error) {
  std::cerr << "nodes: " << error.what() << '\n';
  return 1;
}
