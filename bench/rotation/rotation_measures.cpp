// What rotation costs a server that is under load. A run with rotation and one without take turns
// on the same server, slice by slice, so that what else the machine does meets both.

#include <algorithm>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <thread>

#include "contest.hpp"
#include "measures.hpp"
#include "peers.hpp"
#include "samples.hpp"
#include "subject.hpp"

namespace livetls::bench {

namespace json = boost::json;

namespace {

LoadResult slice(const ServerProcess& server, LoadOptions load, double& cpu_us) {
  cpu_us = 0;
  load.target = {boost::asio::ip::address_v4::loopback(), server.port()};
  const auto before = server.cpu_time();
  LoadResult result = run_load(load);
  const std::chrono::duration<double, std::micro> used = server.cpu_time() - before;
  if (result.operations > 0) cpu_us = used.count() / static_cast<double>(result.operations);
  return result;
}

double p99_us(const LoadResult& result) {
  return 1e-3 * static_cast<double>(result.latency.percentile(99).count());
}

/// Slices at one rate of rotation beside slices at none.
struct Beside {
  std::vector<double> throughput;  ///< ratios, by round
  std::vector<double> cpu;
  std::vector<double> p99;
  double operations_per_second = 0;  ///< with rotation, the last round's
  double busy = 0;
  std::uint64_t failed = 0;
  std::uint64_t resumed = 0;
  std::uint64_t handshakes = 0;
};

Beside beside_control(Subject& subject, LoadOptions load, double rate, std::size_t rounds) {
  Beside result;
  std::vector<double> busy;
  for (std::size_t round = 0; round < rounds; ++round) {
    std::fprintf(stderr, "\r  %.0f rotations a second, round %zu of %zu ", rate, round + 1, rounds);
    double cpu = 0;
    double control_cpu = 0;
    LoadResult control;
    LoadResult rotating;
    const auto with = [&] {
      subject.rotate(rate);
      rotating = slice(subject.process(), load, cpu);
    };
    const auto without = [&] {
      subject.only_wake(rate);
      control = slice(subject.process(), load, control_cpu);
    };
    // In turn, since what one slice leaves behind is cleared away in the next.
    round % 2 == 0 ? (without(), with()) : (with(), without());
    subject.stop_rotating();
    result.throughput.push_back(rotating.per_second() / control.per_second());
    result.cpu.push_back(control_cpu / cpu);
    result.p99.push_back(p99_us(rotating) / p99_us(control));
    result.operations_per_second = rotating.per_second();
    result.failed += rotating.failed + control.failed;
    result.resumed += rotating.resumed;
    result.handshakes += rotating.handshakes;
    busy.push_back(std::max(rotating.busy, control.busy));
  }
  std::fprintf(stderr, "\r                                             \r");
  if (result.failed > 0) throw std::runtime_error("operations failed while rotating");
  result.busy = median(busy);
  return result;
}

constexpr double kTooBusy = 0.95;

std::string percent(double part) { return std::to_string(static_cast<int>(100 * part + 0.5)); }

Row ratio_row(std::string measure, const std::vector<double>& values, double must, double aim,
              bool lower_is_better) {
  return {.measure = std::move(measure),
          .unit = "x",
          .lower_is_better = lower_is_better,
          .must = must,
          .aim = aim,
          .ours = median(values),
          .peer_name = "itself without rotation",
          .ratio = median(values),
          .ratio_low = quantile(values, 0.25),
          .ratio_high = quantile(values, 0.75),
          .rounds = values.size()};
}

/// Where the load is the bottleneck, throughput tells of the load: the server's processor time then
/// says what rotation takes from it.
Row throughput_row(double rate, const Beside& beside, double must, double aim) {
  const bool loaded = beside.busy < kTooBusy;
  Row row = ratio_row("throughput at " + std::to_string(static_cast<int>(rate)) + " rotations/s",
                      loaded ? beside.throughput : beside.cpu, must, aim, false);
  row.note = "The load took " + percent(beside.busy) + " % of its processor";
  row.note += loaded ? "." : ": by the server's processor time per handshake.";
  return row;
}

json::object bar(const std::string& name, const std::vector<double>& values) {
  return {{"name", name},
          {"value", median(values)},
          {"low", quantile(values, 0.25)},
          {"high", quantile(values, 0.75)},
          {"ours", true}};
}

json::array every(double period, double seconds) {
  json::array moments;
  for (double at = period; at < seconds; at += period) moments.push_back(at);
  return moments;
}

}  // namespace

void measure_rotation(Bench& bench) {
  LoadOptions load = bench.load();
  load.polls = true;  // else an update, by delaying the server, makes the load sleep more often
  load.duration = std::chrono::milliseconds(bench.choose(1500, 700, 100));
  Report& report = bench.report;
  json::array bars;
  for (const std::size_t identities : {1U, 100U, 10'000U}) {
    if (bench.scale != Scale::full && identities != 1) continue;
    for (const bool tickets : {false, true}) {
      if (bench.scale != Scale::full && tickets) continue;
      Subject subject({.tickets = tickets, .identities = identities, .watches_staleness = true},
                      bench.certificates);
      pin_to(kLoadProcessor);
      load.resume = tickets;
      const bool headline = identities == 1 && !tickets;
      for (const double rate : {1.0, 10.0, 100.0, 1000.0}) {
        if (bench.scale != Scale::full && rate < 100) continue;
        const bool has_bounds = headline && rate >= 100;
        const Beside beside =
            beside_control(subject, load, rate, has_bounds ? 2 * bench.rounds() : 5);
        std::string name = std::to_string(static_cast<int>(rate)) + "/s, " +
                           std::to_string(identities) + (identities == 1 ? " name" : " names");
        if (tickets) {
          name += ", " +
                  percent(static_cast<double>(beside.resumed) /
                          static_cast<double>(std::max<std::uint64_t>(1, beside.handshakes))) +
                  " % resumed";
        }
        bars.push_back(bar(name, beside.busy < kTooBusy ? beside.throughput : beside.cpu));
        if (!headline) continue;
        if (rate == 100) {
          report.rows.push_back(throughput_row(rate, beside, 0.99, 0.995));
          Row p99 = ratio_row("p99 at 100 rotations/s", beside.p99, 1.1, 1.05, true);
          p99.concluded = beside.busy < kTooBusy;
          report.rows.push_back(std::move(p99));
        }
        if (rate == 1000) report.rows.push_back(throughput_row(rate, beside, 0.95, 0.98));
      }
    }
  }
  report.series.push_back(json::object{{"kind", "bars"},
                                       {"title", "Throughput over that without rotation"},
                                       {"unit", "x"},
                                       {"bars", bars}});

  Subject subject({}, bench.certificates);
  pin_to(kLoadProcessor);
  const double seconds = bench.choose(20, 5, 1);
  load.resume = false;
  load.duration = std::chrono::seconds(static_cast<int>(seconds));
  double cpu = 0;
  subject.rotate(100);
  report.series.push_back(over_time("100 rotations a second", slice(subject.process(), load, cpu),
                                    every(0.01, seconds)));
}

void measure_updates(Bench& bench) {
  for (const std::size_t identities : {1U, 10'000U}) {
    Subject subject({.identities = identities, .watches_staleness = true}, bench.certificates);
    pin_to(kLoadProcessor);
    LoadOptions load = bench.load();
    load.duration = std::chrono::seconds(bench.choose(15, 3, 1));
    double cpu = 0;
    subject.rotate(100);
    slice(subject.process(), load, cpu);
    const Rotations rotations = subject.stop_rotating();
    char note[100];
    std::snprintf(note, sizeof note, "p50 %.0f us, longest %.0f us, of %llu updates.",
                  rotations.update_p50_us, rotations.update_max_us,
                  static_cast<unsigned long long>(rotations.updates));
    bench.report.rows.push_back({.measure = identities == 1
                                                ? "duration of an update under load, p99"
                                                : "the same, one of 10,000 identities",
                                 .unit = "us",
                                 .must = 1000,
                                 .aim = 200,
                                 .ours = rotations.update_p99_us,
                                 .note = note});
  }
}

void measure_memory(Bench& bench) {
  Subject subject({}, bench.certificates);
  pin_to(kLoadProcessor);
  const auto step = bench.choose<std::uint64_t>(5000, 1000, 50);
  LoadOptions load = bench.load();
  load.operations = 200;
  json::array points;
  double cpu = 0;
  slice(subject.process(), load, cpu);
  for (std::uint64_t updates = 0; updates <= 20 * step; updates += step) {
    if (updates > 0) subject.rotate_at_once(step);
    slice(subject.process(), load, cpu);
    points.push_back(
        json::array{updates, static_cast<double>(subject.process().resident_kib()) / 1024});
  }
  bench.report.series.push_back(
      json::object{{"kind", "lines"},
                   {"title", "Memory over rotations"},
                   {"x_title", "rotations"},
                   {"y_title", "resident, MiB"},
                   {"lines", json::array{json::object{{"name", "livetls"}, {"points", points}}}}});
}

void measure_resumption_across_rotation(Bench& bench) {
  Subject subject({.tickets = true}, bench.certificates);
  pin_to(kLoadProcessor);
  constexpr double kPeriod = 1;
  const int seconds = bench.choose(10, 4, 2);
  LoadOptions load = bench.load();
  load.resume = true;
  load.duration = std::chrono::seconds(seconds);
  std::map<int, std::pair<int, int>> tenths;  // handshakes, resumed
  const auto begin = Clock::now();
  load.on_handshake = [&](const Sighting& sighting) {
    const auto since = std::chrono::duration<double>(sighting.done - begin).count();
    auto& [all, resumed] = tenths[static_cast<int>(10 * since)];
    ++all;
    if (sighting.certificate == 0) ++resumed;
  };
  double cpu = 0;
  subject.rotate(1 / kPeriod);
  slice(subject.process(), load, cpu);
  json::array points;
  for (const auto& [tenth, counts] : tenths) {
    points.push_back(json::array{tenth / 10.0, 100.0 * counts.second / counts.first});
  }
  bench.report.series.push_back(
      json::object{{"kind", "lines"},
                   {"title", "Resumption across rotations"},
                   {"x_title", "seconds"},
                   {"y_title", "resumed, %"},
                   {"marks", every(kPeriod, seconds)},
                   {"lines", json::array{json::object{{"name", "livetls"}, {"points", points}}}}});
}

void measure_soak(Bench& bench) {
  Subject subject({.watches_staleness = true}, bench.certificates);
  pin_to(kLoadProcessor);
  LoadOptions load = bench.load();
  const int seconds = bench.choose(600, 20, 1);
  load.duration = std::chrono::seconds(seconds);
  double cpu = 0;
  subject.rotate(100);
  const LoadResult result = slice(subject.process(), load, cpu);
  const Rotations rotations = subject.stop_rotating();
  char note[160];
  std::snprintf(note, sizeof note,
                "%llu handshakes over %llu updates; the first to see an update, %.0f us after it.",
                static_cast<unsigned long long>(result.handshakes),
                static_cast<unsigned long long>(rotations.updates), rotations.first_new_us);
  bench.report.rows.push_back({.measure = "handshakes served what an update had replaced",
                               .ours = static_cast<double>(rotations.stale),
                               .note = note});
  bench.report.rows.push_back(
      {.measure = "failed handshakes in " + std::to_string(seconds) + " s at 100 rotations/s",
       .ours = static_cast<double>(result.failed + rotations.failed_handshakes)});
}

}  // namespace livetls::bench
