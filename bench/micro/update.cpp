// What it costs to change one identity among many: at once, and staged, examined and committed.

#include <benchmark/benchmark.h>

#include <map>

#include "many_names.hpp"

namespace livetls::bench {
namespace {

/// A manager with many names, each with a certificate of its own, and two more for the first.
struct Subject {
  explicit Subject(std::size_t names)
      : manager(CertManager::create(set_of(names_of(names, site), Certificates::own)).value()) {}

  const std::string name = site(0);
  const std::vector<Certificate> renewed = {issuer().issue(name), issuer().issue(name)};
  std::shared_ptr<CertManager> manager;
};

Subject& subject(const benchmark::State& state) {
  static std::map<std::int64_t, Subject> subjects;
  return subjects.try_emplace(state.range(0), state.range(0)).first->second;
}

void set(benchmark::State& state) {
  Subject& of = subject(state);
  std::size_t i = 0;
  for (auto _ : state) of.manager->set(of.name, of.renewed[++i % 2]).value();
}

void stage_and_commit(benchmark::State& state) {
  Subject& of = subject(state);
  CertSet next = of.manager->snapshot()->set();
  Identity& first = next.identities.at(of.name);
  std::size_t i = 0;
  for (auto _ : state) {
    first = of.renewed[++i % 2];
    of.manager->stage(next).value().commit().value();
  }
}

/// Alone: the caller's copy of what is served, which stage_and_commit and set have in common.
void copy_set(benchmark::State& state) {
  const auto snapshot = subject(state).manager->snapshot();
  for (auto _ : state) benchmark::DoNotOptimize(CertSet(snapshot->set()));
}

void numbers_of_identities(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("identities")->Arg(1)->Arg(100)->Arg(10'000)->Unit(benchmark::kMicrosecond);
}

BENCHMARK(set)->Apply(numbers_of_identities);
BENCHMARK(stage_and_commit)->Apply(numbers_of_identities);
BENCHMARK(copy_set)->Apply(numbers_of_identities);

}  // namespace
}  // namespace livetls::bench
