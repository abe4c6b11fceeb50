// Handshakes in memory, without a socket: both sides together, and as a counter the processor time
// of the server's.

#include <benchmark/benchmark.h>

#include <boost/asio/buffer.hpp>
#include <ctime>

#include "livetls/pki/certificate_authority.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "livetls/tls/tls_engine.hpp"

namespace livetls::bench {
namespace {

using Next = TlsEngine::Step::Next;

/// Of this thread: other programs do not count.
double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

class Handshakes {
 public:
  Handshakes(KeyType key_type, TlsVersion version)
      : authority_(CertificateAuthority::create().value()),
        client_(ClientContext::create({.roots = authority_.trust_bundle(),
                                       .policy = {.min_version = version, .max_version = version}})
                    .value()),
        server_(std::make_shared<const ServerConfig>(ServerConfig{
            .contexts =
                CertManager::create(authority_.issue({.key_type = key_type}).value()).value()})) {}

  /// One, from the creation of both engines to their end; false if it failed or, with a session,
  /// was not resumed.
  bool run(const std::optional<ClientSession>& session) {
    TlsEngine client(client_, name_, session);
    std::optional<TlsEngine> server;
    on_server([&] { server.emplace(server_); });
    for (auto at_client = client.handshake(), at_server = TlsEngine::Step{Next::need_input};
         at_client.next != Next::done || at_server.next != Next::done;
         at_client = client.handshake()) {
      if (at_client.next == Next::failed || at_server.next == Next::failed) return false;
      move_output(client, *server);
      on_server([&] { at_server = server->handshake(); });
      move_output(*server, client);
    }
    read_ticket(client);
    const bool as_wanted = server->resumed() == session.has_value();
    on_server([&] { server.reset(); });
    return as_wanted;
  }

  const std::optional<ClientSession>& session() const { return session_; }
  double server_seconds() const { return server_seconds_; }

 private:
  template <class Part>
  void on_server(const Part& part) {
    const double start = cpu_seconds();
    part();
    server_seconds_ += cpu_seconds() - start;
  }

  void move_output(TlsEngine& from, TlsEngine& to) {
    if (from.output_size() == 0) return;
    from.take_output(moving_);
    for (std::size_t moved = 0; moved < moving_.size();) {
      const std::size_t count =
          boost::asio::buffer_copy(to.input_space(), boost::asio::buffer(moving_) + moved);
      to.input_arrived(count);
      moved += count;
    }
  }

  /// It comes with the first bytes that are read.
  void read_ticket(TlsEngine& client) {
    char nothing;
    client.read(boost::asio::buffer(&nothing, 1));
    session_ = client.session();
  }

  CertificateAuthority authority_;
  std::shared_ptr<const ClientContext> client_;
  std::shared_ptr<const ServerConfig> server_;
  ServerName name_ = ServerName::parse("localhost").value();
  std::optional<ClientSession> session_;
  double server_seconds_ = 0;
  std::vector<std::uint8_t> moving_;
};

void full_handshake(benchmark::State& state, KeyType key_type, TlsVersion version) {
  Handshakes handshakes(key_type, version);
  for (auto _ : state) {
    if (!handshakes.run({})) return state.SkipWithError("the handshake failed");
  }
  state.counters["server_cpu"] =
      benchmark::Counter(handshakes.server_seconds(), benchmark::Counter::kAvgIterations);
}

/// TLS 1.3 only: our client resumes nothing else.
void resumed_handshake(benchmark::State& state) {
  Handshakes first(KeyType::ecdsa_p256, TlsVersion::tls1_3);
  if (!first.run({}) || !first.session()) return state.SkipWithError("there is no ticket");
  const double before = first.server_seconds();
  for (auto _ : state) {
    const std::optional<ClientSession> session = first.session();
    if (!first.run(session)) return state.SkipWithError("it was not resumed");
  }
  state.counters["server_cpu"] =
      benchmark::Counter(first.server_seconds() - before, benchmark::Counter::kAvgIterations);
}

BENCHMARK_CAPTURE(full_handshake, tls13_ecdsa, KeyType::ecdsa_p256, TlsVersion::tls1_3)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(full_handshake, tls13_rsa, KeyType::rsa, TlsVersion::tls1_3)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(full_handshake, tls12_ecdsa, KeyType::ecdsa_p256, TlsVersion::tls1_2)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(full_handshake, tls12_rsa, KeyType::rsa, TlsVersion::tls1_2)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(resumed_handshake)->Name("resumed_handshake/tls13")->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace livetls::bench
