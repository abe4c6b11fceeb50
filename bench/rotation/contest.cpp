#include "contest.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <stdexcept>

#include "samples.hpp"

namespace livetls::bench {

namespace json = boost::json;

namespace {

const Standing& best_of_others(const std::vector<Standing>& standings) {
  if (standings.size() < 2) throw std::runtime_error("none of the peers is installed");
  return *std::ranges::min_element(standings.begin() + 1, standings.end(), {},
                                   [](const Standing& s) { return median(s.cpu_us); });
}

std::string busy_note(const Standing& ours) {
  char text[100];
  std::snprintf(text, sizeof text, "The load took %.0f %% of its processor.",
                100 * median(ours.busy));
  return text;
}

Row row_of(std::string measure, std::string unit, const std::vector<double>& ours,
           const std::vector<double>& peer, double must, double aim) {
  const std::vector<double> round_ratios = ratios(ours, peer);
  return {.measure = std::move(measure),
          .unit = std::move(unit),
          .must = must,
          .aim = aim,
          .ours = median(ours),
          .peer = median(peer),
          .ratio = median(round_ratios),
          .ratio_low = quantile(round_ratios, 0.25),
          .ratio_high = quantile(round_ratios, 0.75),
          .rounds = round_ratios.size()};
}

}  // namespace

double cpu_us_per_operation(const ServerProcess& server, LoadOptions load, LoadResult& result) {
  load.target = {boost::asio::ip::address_v4::loopback(), server.port()};
  const auto before = server.cpu_time();
  result = run_load(load);
  const std::chrono::duration<double, std::micro> used = server.cpu_time() - before;
  if (result.failed > 0) {
    throw std::runtime_error(std::to_string(result.failed) +
                             " operations failed: " + result.failures.begin()->first);
  }
  return used.count() / static_cast<double>(result.operations);
}

std::vector<Standing> contest(const std::vector<Contestant>& contestants, LoadOptions load,
                              std::size_t rounds) {
  std::vector<Standing> standings;
  LoadOptions warm_up = load;
  warm_up.operations = std::max<std::uint64_t>(load.connections, load.operations / 10);
  LoadResult result;
  for (const Contestant& contestant : contestants) {
    standings.push_back({.name = contestant.name});
    cpu_us_per_operation(*contestant.server, warm_up, result);
  }
  for (std::size_t round = 0; round < rounds; ++round) {
    std::fprintf(stderr, "\r  round %zu of %zu ", round + 1, rounds);
    for (std::size_t i = 0; i < contestants.size(); ++i) {
      Standing& standing = standings[i];
      standing.cpu_us.push_back(cpu_us_per_operation(*contestants[i].server, load, result));
      standing.per_second.push_back(result.per_second());
      standing.busy.push_back(result.busy);
      standing.latency.add(result.latency);
    }
  }
  std::fprintf(stderr, "\r                    \r");
  return standings;
}

Row compare_cpu(std::string measure, const std::vector<Standing>& standings, double must,
                double aim) {
  const Standing& peer = best_of_others(standings);
  Row row = row_of(std::move(measure), "us", standings[0].cpu_us, peer.cpu_us, must, aim);
  row.peer_name = peer.name;
  row.note = busy_note(standings[0]);
  return row;
}

Row compare_per_cpu_second(std::string measure, std::string unit,
                           const std::vector<Standing>& standings, double scale, double must,
                           double aim) {
  const auto per_second = [scale](const Standing& standing) {
    std::vector<double> values;
    for (const double us : standing.cpu_us) values.push_back(scale * 1e6 / us);
    return values;
  };
  const Standing& peer = best_of_others(standings);
  Row row = row_of(std::move(measure), std::move(unit), per_second(standings[0]), per_second(peer),
                   must, aim);
  row.lower_is_better = false;
  row.peer_name = peer.name;
  row.note = "For each second of the server's processor time. " + busy_note(standings[0]);
  return row;
}

json::object cpu_bars(const std::string& title, const std::vector<Standing>& standings) {
  json::array bars;
  for (const Standing& standing : standings) {
    bars.push_back(json::object{{"name", standing.name},
                                {"value", median(standing.cpu_us)},
                                {"low", quantile(standing.cpu_us, 0.25)},
                                {"high", quantile(standing.cpu_us, 0.75)},
                                {"ours", standing.name == "livetls"}});
  }
  return {{"kind", "bars"}, {"title", title}, {"unit", "us"}, {"bars", bars}};
}

json::object latency_lines(const std::string& title, const std::vector<Standing>& standings) {
  json::array lines;
  for (const Standing& standing : standings) {
    json::array points;
    for (const double percent : {10.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.5, 99.9, 99.95, 100.0}) {
      const auto value = standing.latency.percentile(percent);
      points.push_back(json::array{percent, 1e-3 * static_cast<double>(value.count())});
    }
    lines.push_back(json::object{{"name", standing.name}, {"percentiles", points}});
  }
  return {{"kind", "latency"}, {"title", title}, {"lines", lines}};
}

json::object over_time(const std::string& title, const LoadResult& result,
                       const json::array& rotations) {
  json::array seconds;
  json::array throughput;
  json::array p99;
  for (std::size_t i = 0; i + 1 < result.intervals.size(); ++i) {
    const LoadInterval& interval = result.intervals[i];
    const double length = result.intervals[i + 1].begin_s - interval.begin_s;
    seconds.push_back(interval.begin_s);
    throughput.push_back(static_cast<double>(interval.operations) / length);
    p99.push_back(interval.p99_us);
  }
  return {{"kind", "over_time"},      {"title", title}, {"seconds", seconds},
          {"throughput", throughput}, {"p99_us", p99},  {"rotations", rotations}};
}

}  // namespace livetls::bench
