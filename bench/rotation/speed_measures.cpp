// Livetls and its peers in turn, each alone on the first processor, the load on another.

#include <chrono>

#include "contest.hpp"
#include "field.hpp"
#include "floors.hpp"
#include "measures.hpp"
#include "samples.hpp"
#include "subject.hpp"

namespace livetls::bench {
namespace {

const std::vector<std::string> kEchoPeers = {"haproxy", "hitch", "asio_ssl"};

Standing floor_of(bool resumed, const std::vector<double>& tcp_us, std::uint64_t handshakes) {
  Standing floor{.name = "floor: in-memory handshake + bare TCP"};
  for (const double tcp : tcp_us) {
    floor.cpu_us.push_back(tcp + in_memory_handshake_us(resumed, handshakes));
  }
  floor.busy.assign(tcp_us.size(), 0);
  return floor;
}

/// The bare TCP server's share of a round, which has no TLS.
std::vector<double> bare_tcp_us(Bench& bench, std::uint64_t operations) {
  const ServerProcess server = bare_tcp_server(kServerProcessor);
  LoadOptions load = bench.load();
  load.client = nullptr;
  load.operations = operations;
  return contest({{"bare TCP", &server}}, load, bench.rounds())[0].cpu_us;
}

void measure_handshakes(Bench& bench, bool resumed) {
  const std::string what = resumed ? "resumed" : "full";
  const std::uint64_t operations = bench.operations(3000);
  const std::vector<double> tcp = bare_tcp_us(bench, operations);
  Field field(bench, Service::https, resumed, kHttpsPeers);
  LoadOptions load = bench.load();
  load.resume = resumed;
  load.operations = operations;
  std::vector<Standing> standings = contest(field.contestants, load, bench.rounds());

  Report& report = bench.report;
  report.rows.push_back(compare_cpu("CPU per " + what + " handshake + request", standings,
                                    resumed ? 0.60 : 0.55, 0.45));
  report.series.push_back(
      latency_lines("Latency of " + what + " handshakes + requests", standings));
  const Standing floor = floor_of(resumed, tcp, operations / 4);
  if (!resumed) {
    report.rows.push_back(
        compare_cpu("the same over the floors", {standings[0], floor}, 1.25, 1.15));
  }
  standings.push_back(floor);
  report.series.push_back(cpu_bars("CPU per " + what + " handshake + request", standings));
}

double memory_per_idle_connection(const ServerProcess& server, const LoadOptions& load) {
  LoadOptions idle = load;
  idle.target = {boost::asio::ip::address_v4::loopback(), server.port()};
  idle.connections = 16;
  idle.operations = 200;
  run_load(idle);  // what is allocated once, is allocated now
  const std::uint64_t before = server.resident_kib();
  idle.connections = load.connections;
  const IdleConnections connections(idle);
  return (static_cast<double>(server.resident_kib()) - static_cast<double>(before)) /
         static_cast<double>(load.connections);
}

}  // namespace

void measure_full_handshakes(Bench& bench) { measure_handshakes(bench, false); }
void measure_resumed_handshakes(Bench& bench) { measure_handshakes(bench, true); }

void measure_echo(Bench& bench) {
  Field field(bench, Service::echo, false, kEchoPeers);
  LoadOptions load = bench.load();
  load.mode = LoadMode::echo;
  load.operations = bench.operations(30'000);
  const auto small = contest(field.contestants, load, bench.rounds());
  bench.report.rows.push_back(
      compare_per_cpu_second("raw TLS echo, 64-byte messages", "/s", small, 1, 1.2, 1.5));

  load.message_bytes = 256 * 1024;
  load.connections = 8;
  load.operations = bench.operations(1500);
  const auto bulk = contest(field.contestants, load, bench.rounds());
  bench.report.rows.push_back(
      compare_per_cpu_second("raw TLS echo, bulk", "MB/s", bulk, 256 * 1024 / 1e6, 1.0, 1.2));
  bench.report.series.push_back(cpu_bars("CPU per echoed message of 64 bytes", small));
  bench.report.series.push_back(cpu_bars("CPU per echoed message of 256 KiB", bulk));
}

void measure_idle(Bench& bench) {
  Field field(bench, Service::https, false, {"nginx", "haproxy"});
  LoadOptions load = bench.load();
  load.connections = 5000;
  boost::json::array bars;
  std::vector<double> kib;
  for (const Contestant& contestant : field.contestants) {
    kib.push_back(memory_per_idle_connection(*contestant.server, load));
    bars.push_back(boost::json::object{
        {"name", contestant.name}, {"value", kib.back()}, {"ours", contestant.name == "livetls"}});
  }
  Row row{.measure = "memory per idle HTTPS connection",
          .unit = "KiB",
          .must = 16,
          .aim = 10,
          .ours = kib[0],
          .note = "Resident memory over 5,000 connections after their handshake."};
  if (kib.size() > 1) {
    row.peer = kib[1];
    row.peer_name = field.contestants[1].name;
  }
  bench.report.rows.push_back(row);
  bench.report.series.push_back(boost::json::object{
      {"kind", "bars"}, {"title", "Memory per idle connection"}, {"unit", "KiB"}, {"bars", bars}});
}

void measure_threads(Bench& bench) {
  const Subject one({.threads = 1, .pinned = false}, bench.certificates);
  const Subject two({.threads = 2, .pinned = false}, bench.certificates);
  LoadOptions load = bench.load();
  load.operations = bench.operations(3000);
  const auto standings = contest({{"two threads", &two.process()}, {"one thread", &one.process()}},
                                 load, bench.rounds());
  Row row = compare_cpu("two threads over one, full handshakes", standings, 0, 0);
  const auto doubled = [](double ratio) { return 2 / ratio; };
  row.unit = "us";
  row.lower_is_better = false;
  row.must = 1.9;
  row.aim = 1.95;
  row.ratio = doubled(*row.ratio);
  row.ratio_low = doubled(std::exchange(row.ratio_high, doubled(row.ratio_low)));
  row.note =
      "By processor time per handshake: 2 means that the second thread costs the first none.";
  bench.report.rows.push_back(row);
}

}  // namespace livetls::bench
