// Questions and answers over TLS, each with its length before it: two bytes, the high one first.
//
//     sums serve CERT_FILE KEY_FILE PORT
//     sums ask CA_FILE PORT NUMBER...
//
// The server reads its certificate again at SIGHUP.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <csignal>
#include <iostream>
#include <sstream>

#include "livetls/net/runtime.hpp"
#include "livetls/tcp/connector.hpp"
#include "livetls/tcp/message_stream.hpp"
#include "livetls/tcp/server.hpp"

using namespace livetls;

namespace {

constexpr tcp::LengthField kFraming{.bytes = 2, .max_bytes = 10'000};

std::string sum_of(std::string_view numbers) {
  std::istringstream text{std::string(numbers)};
  long long sum = 0;
  for (long long number; text >> number;) sum += number;
  return text.eof() ? std::to_string(sum) : "these are no numbers";
}

Task<void> answer(tcp::Connection& connection) {
  tcp::MessageStream messages(connection, kFraming, {.idle_timeout = std::chrono::seconds(30)});
  while (true) {
    const auto question = co_await messages.read();
    if (!question || !*question) co_return;
    const auto sent = co_await messages.write(sum_of((*question)->payload));
    if (!sent) co_return;
  }
}

Task<Result<std::string>> ask(tcp::Connector& connector, tcp::Target server, std::string numbers) {
  const auto connection = co_await connector.connect(std::move(server));
  if (!connection) co_return connection.error();
  tcp::MessageStream messages(**connection, kFraming);
  const auto sent = co_await messages.write(numbers);
  if (!sent) co_return sent.error();
  const auto reply = co_await messages.read();
  if (!reply) co_return reply.error();
  if (!*reply) co_return Error(boost::asio::error::eof, "the server has no answer");
  std::string sum((*reply)->payload);
  co_await (*connection)->close();
  co_return sum;
}

void serve(char** arguments) {
  const auto load = [arguments] { return Certificate::load(arguments[0], arguments[1]); };
  Runtime runtime;
  const auto manager = CertManager::create(load().value()).value();
  const auto port = static_cast<std::uint16_t>(std::stoi(arguments[2]));
  const tcp::Server server(runtime, manager, answer, {.port = port});
  runtime.on_signal(SIGHUP, [&] {
    const auto renewed = load();
    const auto receipt = renewed ? manager->update(*renewed) : renewed.error();
    std::cout << (receipt ? "updated" : "kept the old: " + receipt.error().message()) << std::endl;
  });
  std::cout << "listening on port " << server.port() << std::endl;
  runtime.run();
}

void ask(int count, char** arguments) {
  tcp::Connector connector(nullptr, {.roots = TrustBundle::load(arguments[0]).value()});
  Target server("localhost", static_cast<std::uint16_t>(std::stoi(arguments[1])));
  std::string numbers;
  for (int i = 2; i < count; ++i) numbers += std::string(arguments[i]) + " ";
  Runtime runtime({.threads = 1});
  runtime.start();
  auto sum = ask(connector, std::move(server), std::move(numbers));
  std::cout << boost::asio::co_spawn(runtime.executor(0), std::move(sum), boost::asio::use_future)
                   .get()
                   .value()
            << std::endl;
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "serve" && argc == 5) {
    serve(argv + 2);
  } else if (what == "ask" && argc > 4) {
    ask(argc - 2, argv + 2);
  } else {
    throw std::invalid_argument(
        "usage: sums serve CERT_FILE KEY_FILE PORT, or sums ask CA_FILE PORT NUMBER...");
  }
} catch (const std::exception& error) {
  std::cerr << "sums: " << error.what() << '\n';
  return 1;
}
