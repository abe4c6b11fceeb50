// The web module beside its peers: requests on connections that are kept.

#include <fstream>
#include <string>

#include "contest.hpp"
#include "field.hpp"
#include "measures.hpp"

namespace livetls::bench {
namespace {

constexpr std::string_view kOrder =
    R"({"id":70421,"customer":"Ada Lovelace","address":"12 St James's Square, London",)"
    R"("lines":[{"article":"punched cards","count":2000},{"article":"brass gears","count":64}]})";

void add_series(Bench& bench, const std::string& what, const std::vector<Standing>& standings) {
  bench.report.series.push_back(cpu_bars("CPU per " + what, standings));
  bench.report.series.push_back(latency_lines("Latency of a " + what, standings));
}

void measure_file(Bench& bench, const Field& field, std::size_t kib, std::uint64_t operations) {
  const std::string name = std::to_string(kib) + " KiB";
  std::ofstream(bench.directory / "files" / std::to_string(kib)) << std::string(kib * 1024, 'x');
  LoadOptions load = bench.load();
  load.mode = LoadMode::requests;
  load.path = "/files/" + std::to_string(kib);
  load.polls = true;  // or how often it must be woken is what is measured
  load.operations = bench.operations(operations);
  const auto standings = contest(field.contestants, load, bench.rounds());
  bench.report.rows.push_back(
      compare_per_cpu_second("file of " + name, "/s", standings, 1, 0.9, 1.2));
  add_series(bench, "request for a file of " + name, standings);
}

}  // namespace

void measure_keep_alive(Bench& bench) {
  Field field(bench, Service::https, false, kHttpsPeers);
  LoadOptions load = bench.load();
  load.mode = LoadMode::requests;
  load.operations = bench.operations(30'000);
  const auto standings = contest(field.contestants, load, bench.rounds());
  bench.report.rows.push_back(
      compare_per_cpu_second("keep-alive HTTPS requests", "/s", standings, 1, 1.0, 1.3));
  if (standings.size() > 1 && standings[1].name == "nginx") {
    bench.report.rows.push_back(compare_per_cpu_second("the same beside nginx", "/s",
                                                       {standings[0], standings[1]}, 1, 1.0, 1.3));
  }
  add_series(bench, "keep-alive request", standings);
}

void measure_json(Bench& bench) {
  Field field(bench, Service::json, false, {"asio_ssl"});
  LoadOptions load = bench.load();
  load.mode = LoadMode::requests;
  load.json = kOrder;
  load.operations = bench.operations(30'000);
  const auto standings = contest(field.contestants, load, bench.rounds());
  bench.report.rows.push_back(
      compare_per_cpu_second("JSON echo, 190 bytes", "/s", standings, 1, 1.0, 1.2));
  add_series(bench, "JSON echo", standings);
}

void measure_files(Bench& bench) {
  create_directories(bench.directory / "files");
  Field field(bench, Service::https, false, {"nginx"});
  measure_file(bench, field, 16, 15'000);
  measure_file(bench, field, 1024, 600);
}

void measure_websocket(Bench& bench) {
  Field field(bench, Service::websocket, false, {"asio_ssl"});
  LoadOptions load = bench.load();
  load.mode = LoadMode::websocket;
  load.path = "/websocket";
  load.operations = bench.operations(30'000);
  const auto standings = contest(field.contestants, load, bench.rounds());
  bench.report.rows.push_back(
      compare_per_cpu_second("WebSocket echo, 64 bytes", "/s", standings, 1, 0.95, 1.2));
  add_series(bench, "WebSocket echo", standings);
}

}  // namespace livetls::bench
