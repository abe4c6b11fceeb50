#include "report.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string_view>

namespace livetls::demo {
namespace {

namespace json = boost::json;

std::uint64_t number(const json::value& value, std::string_view a, std::string_view b) {
  return value.at(a).at(b).to_number<std::uint64_t>();
}

std::uint64_t total(const json::value& line, std::string_view what) {
  return number(line, "https", what) + number(line, "tcp", what);
}

/// What the clients counted, with what only the server can know.
json::object with_server_side(const json::value& counted, const ServerCounts& counts,
                              std::uint64_t failed_handshakes) {
  json::object result = counted.as_object();
  const auto failed = result.at("failed").to_number<std::uint64_t>();
  result["failed"] = std::max(failed, failed_handshakes);
  result["stale"] = counts.stale.load();
  return result;
}

void print_ratio(const char* name, const json::value& ratio) {
  std::printf("  %-11s %.3f x (half of them %.3f to %.3f)\n", name, ratio.at("median").as_double(),
              ratio.at("low").as_double(), ratio.at("high").as_double());
}

void print_control(const json::value& control) {
  std::printf("with %.0f rotations/s beside none, median of %llu rounds:\n",
              control.at("rotations_per_second").as_double(),
              static_cast<unsigned long long>(control.at("rounds").to_number<std::uint64_t>()));
  print_ratio("throughput", control.at("throughput_ratio"));
  print_ratio("p99 latency", control.at("p99_ratio"));
}

}  // namespace

Slice slice_between(const json::value& before, const json::value& now, std::uint64_t rotations) {
  const bool first = before.is_null();
  return {.seconds = now.at("seconds").as_double() - (first ? 0 : before.at("seconds").as_double()),
          .handshakes = total(now, "handshakes") - (first ? 0 : total(before, "handshakes")),
          .p99_us = now.at("p99_us").to_number<std::uint64_t>(),
          .rotations = rotations};
}

void print_beginning(const RunOptions& options, const Servers& servers) {
  std::printf(
      "https://localhost:%u and a TLS echo server on port %u share one CertManager;\n"
      "their certificate changes %g times a second, %s.\n\n",
      servers.https_port(), servers.tcp_port(), options.rotate_hz,
      options.control ? "in every other half second" : "between ECDSA and RSA");
}

void print_second(int second, const Slice& slice, const json::value& now,
                  std::uint64_t generation) {
  std::printf(
      "%4d s   %6.0f handshakes/s   p50 %5.1f ms   p99 %5.1f ms   failed %llu   generation %llu\n",
      second, slice.per_second(slice.handshakes),
      static_cast<double>(now.at("p50_us").to_number<std::uint64_t>()) / 1000,
      static_cast<double>(slice.p99_us) / 1000,
      static_cast<unsigned long long>(total(now, "failed")),
      static_cast<unsigned long long>(generation));
  std::fflush(stdout);
}

void print_round(std::size_t number, const Control::Round& round) {
  const auto print = [](const char* name, const Slice& slice) {
    std::printf("   %s %6.0f handshakes/s   p99 %5.1f ms", name, slice.per_second(slice.handshakes),
                static_cast<double>(slice.p99_us) / 1000);
  };
  std::printf("round %3zu", number);
  print("still", round.still);
  print("rotating", round.rotating);
  std::puts("");
  std::fflush(stdout);
}

json::object summary(const json::value& counted, const Servers& servers, double seconds) {
  const Latencies& updates = servers.update_latencies();
  return {{"seconds", seconds},
          {"rotations", servers.rotations()},
          {"https", with_server_side(counted.at("https"), servers.https_counts(),
                                     servers.https_failed_handshakes())},
          {"tcp", with_server_side(counted.at("tcp"), servers.tcp_counts(),
                                   servers.tcp_failed_handshakes())},
          {"kept", counted.at("kept")},
          {"update_us",
           {{"p50", updates.quantile_us(0.5)},
            {"p99", updates.quantile_us(0.99)},
            {"max", updates.max_us()}}}};
}

bool flawless(const json::value& result) {
  for (const auto server : {"https", "tcp"}) {
    if (number(result, server, "failed") != 0 || number(result, server, "stale") != 0) return false;
    if (number(result, server, "handshakes") == 0) return false;
  }
  return number(result, "kept", "broken") == 0 &&
         number(result, "kept", "certificate_changed") == 0;
}

void print_summary(const json::value& value, bool good) {
  std::printf("\n%llu rotations in %.1f s; an update took %llu us (p50), %llu us (p99)\n",
              static_cast<unsigned long long>(value.at("rotations").to_number<std::uint64_t>()),
              value.at("seconds").to_number<double>(),
              static_cast<unsigned long long>(number(value, "update_us", "p50")),
              static_cast<unsigned long long>(number(value, "update_us", "p99")));
  for (const auto server : {"https", "tcp"}) {
    std::printf("%-6s %7llu handshakes   %llu failed   %llu stale   %llu certificates seen\n",
                server, static_cast<unsigned long long>(number(value, server, "handshakes")),
                static_cast<unsigned long long>(number(value, server, "failed")),
                static_cast<unsigned long long>(number(value, server, "stale")),
                static_cast<unsigned long long>(number(value, server, "generations_seen")));
  }
  std::printf("kept   %7llu connections  %llu broken   %llu changed certificate\n",
              static_cast<unsigned long long>(number(value, "kept", "opened")),
              static_cast<unsigned long long>(number(value, "kept", "broken")),
              static_cast<unsigned long long>(number(value, "kept", "certificate_changed")));
  if (const auto* control = value.as_object().if_contains("control")) print_control(*control);
  std::puts(good ? "Nothing was lost." : "SOMETHING WENT WRONG: see above.");
}

void write_json(const std::string& name, const json::object& result) {
  std::ofstream file(name);
  file << json::serialize(result) << '\n';
  if (!file.flush()) throw std::runtime_error(name + " cannot be written");
}

}  // namespace livetls::demo
