#include "livetls/tls/client_hello.hpp"

#include <benchmark/benchmark.h>

#include "support/client_hello_builder.hpp"

namespace livetls::bench {
namespace {

using test::code_points;
using test::prefixed;

/// What a browser sends, as far as it matters for the size and the number of extensions.
test::ClientHelloBuilder browsers_hello() {
  test::ClientHelloBuilder builder;
  builder.cipher_suites =
      code_points({0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013,
                   0xc014, 0x009c, 0x009d, 0x002f, 0x0035});
  builder.with_server_name("www.example.com")
      .with(23, {})
      .with(10, prefixed(2, code_points({0x001d, 0x0017, 0x0018})))
      .with(11, prefixed(1, test::Bytes{0}))
      .with(35, {})
      .with_alpn({"h2", "http/1.1"})
      .with(5, {1, 0, 0, 0, 0})
      .with(13, prefixed(2, code_points(
                                {0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601})))
      .with(51, test::Bytes(38, 0x33))
      .with(45, {1, 1})
      .with(43, prefixed(1, code_points({0x0304, 0x0303})));
  return builder;
}

void parse_client_hello(benchmark::State& state) {
  const test::Bytes body = browsers_hello().body();
  for (auto _ : state) {
    const auto hello = ClientHello::parse(body);
    if (!hello) state.SkipWithError("refused");
    benchmark::DoNotOptimize(hello);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}

void read_client_hello(benchmark::State& state) {
  const test::Bytes whole = browsers_hello().message();
  const auto parts = static_cast<std::size_t>(state.range(0));
  const test::Bytes records = browsers_hello().records((whole.size() + parts - 1) / parts);
  for (auto _ : state) {
    ClientHelloReader reader;
    const auto hello = reader.read(records);
    if (!hello || *hello == nullptr) state.SkipWithError("refused");
    benchmark::DoNotOptimize(hello);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(records.size()));
}

BENCHMARK(parse_client_hello);
BENCHMARK(read_client_hello)->ArgName("records")->Arg(1)->Arg(4);

}  // namespace
}  // namespace livetls::bench
