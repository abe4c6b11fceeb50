#include "livetls/tls/server_context.hpp"

#include <benchmark/benchmark.h>

#include "livetls/pki/certificate_authority.hpp"

namespace livetls::bench {
namespace {

/// With its destruction, as an update that replaces one context has it.
void build_context(benchmark::State& state, KeyType key_type) {
  const auto authority = CertificateAuthority::create().value();
  const Certificate certificate = authority.issue({.key_type = key_type}).value();
  const ServingPolicy policy{.ticket_keys = std::make_shared<TicketKeys>()};
  for (auto _ : state) {
    benchmark::DoNotOptimize(ServerContext::build(certificate, policy).value());
  }
}

BENCHMARK_CAPTURE(build_context, ecdsa_p256, KeyType::ecdsa_p256)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(build_context, ecdsa_p384, KeyType::ecdsa_p384)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(build_context, rsa, KeyType::rsa)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace livetls::bench
