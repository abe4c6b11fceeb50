// Reading what is current: livetls' Published beside what could have been used instead, alone and
// while a writer stores all the time.

#include "livetls/base/published.hpp"

#include <benchmark/benchmark.h>

#include <boost/smart_ptr/atomic_shared_ptr.hpp>
#include <boost/smart_ptr/make_shared.hpp>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <thread>

namespace livetls::bench {
namespace {

struct Value {
  std::uint64_t number = 0;
};

// Each way has `load`, which answers a counted pointer, and `store`.

struct PublishedWay {
  auto load() const { return current.load(); }
  void store(std::uint64_t number) { current.store(std::make_shared<const Value>(Value{number})); }

  Published<Value> current{std::make_shared<const Value>()};
};

struct SharedMutexWay {
  auto load() const {
    const std::shared_lock lock(mutex);
    return current;
  }
  void store(std::uint64_t number) {
    auto next = std::make_shared<const Value>(Value{number});
    const std::scoped_lock lock(mutex);
    current.swap(next);
  }

  mutable std::shared_mutex mutex;
  std::shared_ptr<const Value> current = std::make_shared<const Value>();
};

struct StdAtomicWay {
  auto load() const { return current.load(); }
  void store(std::uint64_t number) { current.store(std::make_shared<const Value>(Value{number})); }

  std::atomic<std::shared_ptr<const Value>> current{std::make_shared<const Value>()};
};

struct BoostAtomicWay {
  auto load() const { return current.load(); }
  void store(std::uint64_t number) {
    current.store(boost::make_shared<const Value>(Value{number}));
  }

  boost::atomic_shared_ptr<const Value> current{boost::make_shared<const Value>()};
};

template <class Way>
std::uint64_t load_number(const Way& way) {
  return way.load()->number;
}

/// Without taking a reference, as far as that is enough.
std::uint64_t read_number(const PublishedWay& way) {
  return way.current.read([](const auto& value) { return value->number; });
}

/// One for all threads of a benchmark.
template <class Way>
Way& way() {
  static Way one;
  return one;
}

template <class Way, auto kRead>
void read_alone(benchmark::State& state) {
  const Way& current = way<Way>();
  for (auto _ : state) benchmark::DoNotOptimize(kRead(current));
}

/// Thread 0 also owns the writer. What it stores in a second is counted.
template <class Way, auto kRead>
void read_beside_writer(benchmark::State& state) {
  Way& current = way<Way>();
  std::uint64_t stores = 0;
  std::jthread writer;
  if (state.thread_index() == 0) {
    writer = std::jthread([&current, &stores](const std::stop_token& stop) {
      while (!stop.stop_requested()) current.store(++stores);
    });
  }
  for (auto _ : state) benchmark::DoNotOptimize(kRead(current));
  if (!writer.joinable()) return;
  writer.request_stop();
  writer.join();
  state.counters["stores"] =
      benchmark::Counter(static_cast<double>(stores), benchmark::Counter::kIsRate);
}

template <class Way, auto kRead>
void add(const std::string& name) {
  const auto threads = [](auto* benchmark) { benchmark->ThreadRange(1, 8)->UseRealTime(); };
  benchmark::RegisterBenchmark(("read_alone/" + name).c_str(), read_alone<Way, kRead>)
      ->Apply(threads);
  benchmark::RegisterBenchmark(("read_beside_writer/" + name).c_str(),
                               read_beside_writer<Way, kRead>)
      ->Apply(threads);
}

[[maybe_unused]] const bool kAdded = [] {
  add<PublishedWay, load_number<PublishedWay>>("published_load");
  add<PublishedWay, read_number>("published_read");
  add<SharedMutexWay, load_number<SharedMutexWay>>("shared_mutex");
  add<StdAtomicWay, load_number<StdAtomicWay>>("std_atomic");
  add<BoostAtomicWay, load_number<BoostAtomicWay>>("boost_atomic");
  return true;
}();

}  // namespace
}  // namespace livetls::bench
