#include "livetls/tls/ticket_keys.hpp"

#include <benchmark/benchmark.h>

namespace livetls::bench {
namespace {

constexpr std::size_t kTicketBytes = 256;

void seal_ticket(benchmark::State& state) {
  const TicketKeys keys;
  const TicketKeys::PolicyDigest policy{};
  std::vector<std::uint8_t> ticket(kTicketBytes);
  for (auto _ : state) benchmark::DoNotOptimize(keys.seal(ticket, policy, keys.now()).value());
}

void open_ticket(benchmark::State& state) {
  const TicketKeys keys;
  const TicketKeys::PolicyDigest policy{};
  std::vector<std::uint8_t> ticket(kTicketBytes);
  const TicketKeys::Sealed sealed = keys.seal(ticket, policy, keys.now()).value();
  for (auto _ : state) {
    std::vector<std::uint8_t> opened = ticket;
    benchmark::DoNotOptimize(keys.open(opened, sealed, policy).value());
  }
}

BENCHMARK(seal_ticket);
BENCHMARK(open_ticket);

}  // namespace
}  // namespace livetls::bench
