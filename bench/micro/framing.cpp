#include "livetls/tcp/framing.hpp"

#include <benchmark/benchmark.h>

#include <string>

namespace livetls::bench {
namespace {

constexpr int kMessages = 1000;

std::string stream_of(const tcp::Framing& framing, std::size_t bytes) {
  const tcp::Framer framer(framing);
  const std::string payload(bytes, 'x');
  std::string stream;
  for (int i = 0; i < kMessages; ++i) {
    stream += framer.header_for(payload).value() + payload + std::string(framer.trailer());
  }
  return stream;
}

/// All messages of a stream that has arrived.
void cut(benchmark::State& state, const tcp::Framing& framing) {
  const std::string stream = stream_of(framing, static_cast<std::size_t>(state.range(0)));
  tcp::Framer framer(framing);
  for (auto _ : state) {
    std::string_view rest = stream;
    while (!rest.empty()) rest.remove_prefix(framer.find(rest).value()->size());
    benchmark::DoNotOptimize(rest);
  }
  state.SetItemsProcessed(state.iterations() * kMessages);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(stream.size()));
}

BENCHMARK_CAPTURE(cut, length_field, tcp::LengthField{})->Arg(64)->Arg(4096);
BENCHMARK_CAPTURE(cut, lines, tcp::Delimiter{})->Arg(64)->Arg(4096);
BENCHMARK_CAPTURE(cut, fixed_length, tcp::FixedLength{64})->Arg(64);

}  // namespace
}  // namespace livetls::bench
