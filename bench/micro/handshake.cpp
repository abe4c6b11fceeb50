// Handshakes in memory: both sides together, and as a counter the processor time of the server's.

#include <benchmark/benchmark.h>

#include "load/memory_handshakes.hpp"

namespace livetls::bench {
namespace {

void full_handshake(benchmark::State& state, KeyType key_type, TlsVersion version) {
  MemoryHandshakes handshakes(key_type, version);
  for (auto _ : state) {
    if (!handshakes.run({})) return state.SkipWithError("the handshake failed");
  }
  state.counters["server_cpu"] =
      benchmark::Counter(handshakes.server_seconds(), benchmark::Counter::kAvgIterations);
}

/// TLS 1.3 only: our client resumes nothing else.
void resumed_handshake(benchmark::State& state) {
  MemoryHandshakes first(KeyType::ecdsa_p256, TlsVersion::tls1_3);
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
