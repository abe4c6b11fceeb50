// Finding what a name is served, in a snapshot with few or many names.

#include <benchmark/benchmark.h>
#include <malloc.h>

#include <algorithm>
#include <map>
#include <random>

#include "many_names.hpp"
#include "support/client_hello_builder.hpp"

namespace livetls::bench {
namespace {

/// A manager with many names, made once for all benchmarks that ask it.
struct Site {
  std::shared_ptr<CertManager> manager;
  double bytes_per_name;
};

double heap_bytes() {
  const struct mallinfo2 heap = mallinfo2();
  return static_cast<double>(heap.uordblks + heap.hblkhd);
}

/// All that the manager keeps for it counts, the certificates themselves, too.
Site make_site(const std::vector<std::string>& names, Certificates certificates) {
  set_of({}, certificates);  // what is made once for all
  const double before = heap_bytes();
  auto manager = CertManager::create(set_of(names, certificates)).value();
  return {std::move(manager), (heap_bytes() - before) / static_cast<double>(names.size())};
}

using NameMaker = std::string (*)(std::size_t);

const Site& site_with(const benchmark::State& state, NameMaker name, Certificates certificates) {
  const auto count = static_cast<std::size_t>(state.range(0));
  static std::map<std::tuple<std::size_t, NameMaker, Certificates>, Site> sites;
  const auto key = std::tuple(count, name, certificates);
  const auto known = sites.find(key);
  if (known != sites.end()) return known->second;
  return sites.emplace(key, make_site(names_of(count, name), certificates)).first->second;
}

/// What is listed, and what is asked for.
struct Question {
  NameMaker listed;
  NameMaker asked;
  NameMatch match;
};

constexpr Question kExact{site, site, NameMatch::exact};
constexpr Question kWildcard{wildcard_site, [](std::size_t i) { return "www." + site(i); },
                             NameMatch::wildcard};
constexpr Question kUnknown{site, [](std::size_t i) { return "un" + site(i); }, NameMatch::unknown};

/// So many of the names, in an order in which no cache helps.
std::vector<ServerName> shuffled_names(const benchmark::State& state, NameMaker name) {
  std::vector<std::string> texts = names_of(static_cast<std::size_t>(state.range(0)), name);
  std::ranges::shuffle(texts, std::minstd_rand());
  texts.resize(static_cast<std::size_t>(state.range(1)));
  std::vector<ServerName> names;
  for (const std::string& text : texts) names.push_back(ServerName::parse(text).value());
  return names;
}

void find(benchmark::State& state, const Question& question, Certificates certificates) {
  const Site& site = site_with(state, question.listed, certificates);
  const auto snapshot = site.manager->snapshot();
  const std::vector<ServerName> names = shuffled_names(state, question.asked);
  std::size_t i = 0;
  for (auto _ : state) {
    const Snapshot::Found found = snapshot->find(names[i]);
    if (found.match != question.match) state.SkipWithError("found something else");
    if (++i == names.size()) i = 0;
  }
  state.counters["bytes_per_name"] = site.bytes_per_name;
}

/// With the choice of the current snapshot and the connection's seat in it.
void select(benchmark::State& state, const Question& question, Certificates certificates) {
  const Site& site = site_with(state, question.listed, certificates);
  const std::vector<ServerName> names = shuffled_names(state, question.asked);
  const test::Bytes bytes = test::ClientHelloBuilder()
                                .with(13, test::prefixed(2, test::code_points({0x0403, 0x0804})))
                                .with(43, test::prefixed(1, test::code_points({0x0304, 0x0303})))
                                .body();
  ClientHello hello = ClientHello::parse(bytes).value();
  std::size_t i = 0;
  for (auto _ : state) {
    hello.server_name = names[i].text();
    const Result<Served> served = site.manager->select(hello);
    if (served->match != question.match) state.SkipWithError("found something else");
    if (++i == names.size()) i = 0;
  }
  state.counters["bytes_per_name"] = site.bytes_per_name;
}

void numbers_of_names(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"names", "asked"})
      ->Args({1, 1})
      ->Args({1'000, 1'000})
      ->Args({100'000, 1'000})     // as where few names have most of the visits
      ->Args({100'000, 100'000});  // the worst case: none has been asked for lately
}

BENCHMARK_CAPTURE(find, exact, kExact, Certificates::shared)->Apply(numbers_of_names);
BENCHMARK_CAPTURE(find, wildcard, kWildcard, Certificates::shared)->Apply(numbers_of_names);
BENCHMARK_CAPTURE(find, unknown, kUnknown, Certificates::shared)->Apply(numbers_of_names);
BENCHMARK_CAPTURE(find, exact_own_certificates, kExact, Certificates::own)->Apply(numbers_of_names);
BENCHMARK_CAPTURE(select, exact, kExact, Certificates::shared)->Apply(numbers_of_names);
BENCHMARK_CAPTURE(select, wildcard, kWildcard, Certificates::shared)->Apply(numbers_of_names);
BENCHMARK_CAPTURE(select, unknown, kUnknown, Certificates::shared)->Apply(numbers_of_names);
BENCHMARK_CAPTURE(select, exact_own_certificates, kExact, Certificates::own)
    ->Apply(numbers_of_names);

}  // namespace
}  // namespace livetls::bench
