// Links between nodes beside bare streams of messages on the same TLS, and how long a Connector
// takes.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

#include "contest.hpp"
#include "livetls/net/connector.hpp"
#include "livetls/node/node.hpp"
#include "livetls/pki/certificate_authority.hpp"
#include "livetls/tcp/message_stream.hpp"
#include "livetls/tcp/server.hpp"
#include "measures.hpp"
#include "samples.hpp"

namespace livetls::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr tcp::LengthField kFraming{.bytes = 4};
constexpr const char* kNode = "server@localhost";
const std::string kMessage(64, 'x');
const std::string kQuestion = "?";

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message());
  return std::move(*result);
}

void must(const Result<void>& result) {
  if (!result) throw std::runtime_error(result.error().message());
}

CertSet set_of(const CertificateAuthority& authority) {
  return {
      .default_identity = Identity(authority.issue().value()).with(ClientAuth::require_and_verify),
      .client_roots = authority.trust_bundle()};
}

// ---- The servers -------------------------------------------------------------------------------

/// Takes messages, and answers questions.
ServerProcess node_server(const CertificateAuthority& authority) {
  return ServerProcess::fork_of(kServerProcessor, [&](const auto& listening) {
    Runtime runtime({.threads = 1, .stop_on_signals = false});
    node::NodeOptions options{.cert_manager = CertManager::create(set_of(authority)).value(),
                              .acceptors = {{.address = "127.0.0.1"}},
                              .cookie = "bench"};
    options.services.messages["take"] = [](node::Message) -> Task<void> { co_return; };
    options.services.requests["ask"] = [](node::Message message) -> Task<Result<node::Payload>> {
      co_return std::move(message.payload);
    };
    const node::Node node(runtime, kNode, std::move(options));
    listening(node.ports()[0]);
    runtime.run();
  });
}

Task<void> take_and_answer(tcp::Connection& connection) {
  tcp::MessageStream messages(connection, kFraming);
  while (true) {
    const auto message = co_await messages.read();
    if (!message || !*message) co_return;
    if ((*message)->payload != kQuestion) continue;
    const auto sent = co_await messages.write(kQuestion);
    if (!sent) co_return;
  }
}

ServerProcess bare_server(const CertificateAuthority& authority) {
  return ServerProcess::fork_of(kServerProcessor, [&](const auto& listening) {
    Runtime runtime({.threads = 1, .stop_on_signals = false});
    const tcp::Server server(runtime, CertManager::create(set_of(authority)).value(),
                             take_and_answer, {.address = "127.0.0.1"});
    listening(server.port());
    runtime.run();
  });
}

// ---- The load ----------------------------------------------------------------------------------

/// What sends to one of the servers, on the load's processor.
class Client {
 public:
  virtual ~Client() = default;
  virtual Task<void> send(std::uint64_t messages) = 0;  ///< and waits until all were taken
  virtual Task<void> ask() = 0;
};

class NodeClient final : public Client {
 public:
  NodeClient(Runtime& runtime, const CertificateAuthority& authority, std::uint16_t port)
      : node_(runtime, "client@localhost",
              {.cert_manager = CertManager::create(set_of(authority)).value(),
               .routes = {{.port = port}},
               .cookie = "bench"}) {}

  Task<void> send(std::uint64_t messages) override {
    for (std::uint64_t i = 0; i < messages; ++i) must(co_await node_.send(kNode, "take", kMessage));
    co_await ask();  // begun behind them, since it is in the same stream
  }

  Task<void> ask() override { must(co_await node_.request(kNode, "ask", kQuestion)); }

 private:
  node::Node node_;
};

class BareClient final : public Client {
 public:
  BareClient(std::unique_ptr<Connection> connection)
      : connection_(std::move(connection)), messages_(*connection_, kFraming) {}

  Task<void> send(std::uint64_t messages) override {
    const auto talk = [this, messages](tcp::Sender sender) { return send(sender, messages); };
    co_await messages_.run(talk);
  }

  Task<void> ask() override {
    must(co_await messages_.write(kQuestion));
    must(co_await messages_.read());
  }

 private:
  Task<void> send(tcp::Sender sender, std::uint64_t messages) {
    for (std::uint64_t i = 0; i < messages; ++i) must(co_await sender.send_when_room(kMessage));
    must(co_await sender.send_when_room(kQuestion));
    must(co_await messages_.read());
  }

  std::unique_ptr<Connection> connection_;
  tcp::MessageStream messages_;
};

template <class T>
T wait(Runtime& runtime, Task<T> task) {
  return boost::asio::co_spawn(runtime.executor(0), std::move(task), boost::asio::use_future).get();
}

void play(Runtime& runtime, Client& client, const ServerProcess& server, bool asks,
          std::uint64_t operations, Standing& standing) {
  const auto cpu_before = server.cpu_time();
  const auto begin = Clock::now();
  if (asks) {
    for (std::uint64_t i = 0; i < operations; ++i) {
      const auto asked = Clock::now();
      wait(runtime, client.ask());
      standing.latency.record(Clock::now() - asked);
    }
  } else {
    wait(runtime, client.send(operations));
  }
  const std::chrono::duration<double> took = Clock::now() - begin;
  const std::chrono::duration<double, std::micro> used = server.cpu_time() - cpu_before;
  standing.cpu_us.push_back(used.count() / static_cast<double>(operations));
  standing.per_second.push_back(static_cast<double>(operations) / took.count());
  standing.busy.push_back(0);
}

std::string rates(const std::vector<Standing>& standings) {
  char text[100];
  std::snprintf(text, sizeof text, "%.0f a second, over the bare stream %.0f.",
                median(standings[0].per_second), median(standings[1].per_second));
  return text;
}

std::string latencies(const std::vector<Standing>& standings) {
  const auto us = [&](std::size_t who, double percent) {
    return 1e-3 * static_cast<double>(standings[who].latency.percentile(percent).count());
  };
  char text[100];
  std::snprintf(text, sizeof text, "p50 %.0f us, p99 %.0f us; over the bare stream %.0f and %.0f.",
                us(0, 50), us(0, 99), us(1, 50), us(1, 99));
  return text;
}

}  // namespace

void measure_links(Bench& bench) {
  const auto authority = CertificateAuthority::create().value();
  const ServerProcess nodes = node_server(authority);
  const ServerProcess bare = bare_server(authority);
  pin_to(kLoadProcessor);
  {
    Runtime runtime({.threads = 1, .stop_on_signals = false});
    runtime.start();
    Connector connector(CertManager::create(set_of(authority)).value(), {.roots_of_manager = true});
    NodeClient on_link(runtime, authority, nodes.port());
    BareClient alone(must(wait(runtime, connector.connect({"localhost", bare.port()}))));
    for (const bool asks : {false, true}) {
      std::vector<Standing> standings = {{.name = "livetls"}, {.name = "a bare message stream"}};
      const std::uint64_t operations = bench.operations(asks ? 10'000 : 300'000);
      Standing warm_up;
      play(runtime, on_link, nodes, asks, operations / 10, warm_up);
      play(runtime, alone, bare, asks, operations / 10, warm_up);
      for (std::size_t round = 0; round < bench.rounds(); ++round) {
        play(runtime, on_link, nodes, asks, operations, standings[0]);
        play(runtime, alone, bare, asks, operations, standings[1]);
      }
      const std::string what = asks ? "request over a link" : "message of 64 bytes over a link";
      Row row = compare_cpu("CPU per " + what, standings, asks ? 1.5 : 5, asks ? 1.25 : 3);
      row.note = asks ? latencies(standings) : rates(standings);
      bench.report.rows.push_back(row);
      bench.report.series.push_back(cpu_bars("CPU per " + what, standings));
      if (asks) bench.report.series.push_back(latency_lines("Latency of a " + what, standings));
    }
  }
  pin_to(kAnyProcessor);
}

namespace {

Task<double> connect_us(Connector& connector, std::uint16_t port, int connections, bool resumed) {
  std::chrono::duration<double, std::micro> sum{};
  for (int i = 0; i < connections; ++i) {
    Target target("localhost", port);
    const auto begin = Clock::now();
    const auto connection = must(co_await connector.connect(std::move(target)));
    sum += Clock::now() - begin;
    if (connection->resumed() != resumed) throw std::runtime_error("a session was not as wanted");
    tcp::MessageStream messages(*connection, kFraming);
    must(co_await messages.write(kQuestion));
    must(co_await messages.read());  // a ticket comes with it
    co_await connection->close();
  }
  co_return sum.count() / connections;
}

}  // namespace

void measure_connector(Bench& bench) {
  const auto authority = CertificateAuthority::create().value();
  const ServerProcess server = ServerProcess::fork_of(kServerProcessor, [&](const auto& listening) {
    Runtime runtime({.threads = 1, .stop_on_signals = false});
    const tcp::Server tcp_server(runtime, CertManager::create(authority.issue().value()).value(),
                                 take_and_answer, {.address = "127.0.0.1"});
    listening(tcp_server.port());
    runtime.run();
  });
  pin_to(kLoadProcessor);
  std::vector<double> full, resumed;
  {
    Runtime runtime({.threads = 1, .stop_on_signals = false});
    runtime.start();
    Connector fresh(nullptr, {.roots = authority.trust_bundle(), .resume = false});
    Connector resuming(nullptr, {.roots = authority.trust_bundle()});
    wait(runtime, connect_us(resuming, server.port(), 1, false));
    const int connections = static_cast<int>(bench.operations(600));
    for (std::size_t round = 0; round < bench.rounds(); ++round) {
      full.push_back(wait(runtime, connect_us(fresh, server.port(), connections, false)));
      resumed.push_back(wait(runtime, connect_us(resuming, server.port(), connections, true)));
    }
  }
  pin_to(kAnyProcessor);
  const std::vector<double> round_ratios = ratios(resumed, full);
  bench.report.rows.push_back({.measure = "Connector: set-up, resumed",
                               .unit = "us",
                               .must = 0.7,
                               .aim = 0.5,
                               .ours = median(resumed),
                               .peer = median(full),
                               .peer_name = "itself, in full",
                               .ratio = median(round_ratios),
                               .ratio_low = quantile(round_ratios, 0.25),
                               .ratio_high = quantile(round_ratios, 0.75),
                               .rounds = round_ratios.size(),
                               .note = "From connect to the end of the handshake, one at a time."});
}

}  // namespace livetls::bench
