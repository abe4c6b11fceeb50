#include "run_command.hpp"

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/program_options.hpp>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <mutex>
#include <set>
#include <thread>

#include "load/load.hpp"
#include "tls/load_client.hpp"

namespace livetls::bench {
namespace {

namespace po = boost::program_options;
using boost::asio::ip::tcp;

struct Options {
  std::string target;
  std::string server_name;
  std::string mode = "handshakes";
  std::string tls = "1.3";
  std::string group = "x25519";
  std::string path = "/";
  std::string json;
  bool resume = false;
  std::size_t connections = 32;
  std::size_t message_bytes = 64;
  unsigned threads = 1;
  double rate = 0;
  double seconds = 10;
  std::string rotate_command;
  double rotate_every = 1;
  bool host_is_mine = false;
  std::string json_file;
};

po::options_description describe(Options& o) {
  po::options_description all("usage: livetls-bench run --target HOST:PORT [options]");
  auto add = all.add_options();
  add("target", po::value(&o.target)->value_name("HOST:PORT")->required(), "the server to load");
  add("yes-i-own-this-host", po::bool_switch(&o.host_is_mine), "needed beyond loopback");
  add("mode", po::value(&o.mode)->default_value(o.mode),
      "handshakes (each with a request), requests (on connections that are kept), echo or "
      "websocket "
      "(which echoes text)");
  add("resume", po::bool_switch(&o.resume), "resume sessions (TLS 1.3)");
  add("path", po::value(&o.path)->default_value(o.path), "what to GET; '' for handshakes alone");
  add("post", po::value(&o.json)->value_name("JSON"), "post this to the path instead");
  add("server-name", po::value(&o.server_name), "for SNI and Host; the target's host otherwise");
  add("tls", po::value(&o.tls)->default_value(o.tls), "1.3 or 1.2");
  add("group", po::value(&o.group)->default_value(o.group), "x25519 or p256 (TLS 1.3)");
  add("connections", po::value(&o.connections)->default_value(o.connections),
      "at a time, for each thread");
  add("threads", po::value(&o.threads)->default_value(o.threads), "of the load");
  add("message-bytes", po::value(&o.message_bytes)->default_value(o.message_bytes),
      "echo and websocket");
  add("rate", po::value(&o.rate)->default_value(o.rate),
      "operations a second for each thread, latency counted from when they were due; 0: as many as "
      "can be");
  add("seconds", po::value(&o.seconds)->default_value(o.seconds), "");
  add("rotate-cmd", po::value(&o.rotate_command)->value_name("COMMAND"),
      "run regularly, to change the server's certificate");
  add("rotate-every", po::value(&o.rotate_every)->default_value(o.rotate_every), "seconds");
  add("json", po::value(&o.json_file)->value_name("FILE"), "write the figures there, too");
  add("help", "");
  return all;
}

template <class Value>
Value one_of(const std::string& option, const std::string& given,
             const std::map<std::string, Value>& values) {
  const auto found = values.find(given);
  if (found == values.end()) throw po::error("--" + option + " cannot be '" + given + "'");
  return found->second;
}

std::pair<std::string, std::string> host_and_port(const std::string& target) {
  const std::size_t colon = target.rfind(':');
  if (colon == target.npos || colon == 0 || colon + 1 == target.size()) {
    throw po::error("--target takes HOST:PORT, not '" + target + "'");
  }
  std::string host = target.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return {host, target.substr(colon + 1)};
}

tcp::endpoint resolve(const Options& options) {
  const auto [host, port] = host_and_port(options.target);
  boost::asio::io_context io;
  tcp::socket probe(io);
  boost::system::error_code error;
  const auto addresses = tcp::resolver(io).resolve(host, port);
  tcp::endpoint endpoint = *addresses.begin();
  for (const auto& address : addresses) {  // the first that answers, of this machine's
    if (!address.endpoint().address().is_loopback()) continue;
    probe = tcp::socket(io);
    probe.connect(address, error);
    if (!error) endpoint = address;
    if (!error) break;
  }
  if (!endpoint.address().is_loopback() && !options.host_is_mine) {
    throw po::error(endpoint.address().to_string() +
                    " is not this machine: load only what is yours, and say --yes-i-own-this-host");
  }
  return endpoint;
}

LoadOptions load_options(const Options& o) {
  const TlsVersion version =
      one_of<TlsVersion>("tls", o.tls, {{"1.3", TlsVersion::tls1_3}, {"1.2", TlsVersion::tls1_2}});
  const KeyExchange group = one_of<KeyExchange>(
      "group", o.group, {{"x25519", KeyExchange::x25519}, {"p256", KeyExchange::p256}});
  if (o.connections == 0 || o.threads == 0 || o.seconds <= 0 || o.rate < 0 || o.rotate_every <= 0) {
    throw po::error("connections, threads and seconds must be above zero");
  }
  LoadOptions load;
  load.target = resolve(o);
  load.server_name = o.server_name.empty() ? host_and_port(o.target).first : o.server_name;
  load.client = make_load_client({.min_version = version, .max_version = version}, group);
  load.mode = one_of<LoadMode>("mode", o.mode,
                               {{"handshakes", LoadMode::handshakes},
                                {"requests", LoadMode::requests},
                                {"echo", LoadMode::echo},
                                {"websocket", LoadMode::websocket}});
  load.resume = o.resume;
  load.path = o.path;
  load.json = o.json;
  load.message_bytes = o.message_bytes;
  load.connections = o.connections;
  load.rate = o.rate;
  load.duration =
      std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(o.seconds));
  return load;
}

/// Runs the command regularly, until the object goes.
class Rotator {
 public:
  Rotator(std::string command, double period) : command_(std::move(command)), period_(period) {
    if (!command_.empty()) thread_ = std::thread([this] { work(); });
  }
  ~Rotator() { stop(); }

  void stop() {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
    }
    stopped_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  std::uint64_t rotations = 0;  ///< after stop()
  std::uint64_t failed = 0;

 private:
  void work() {
    std::unique_lock lock(mutex_);
    auto due = Clock::now();
    for (;;) {
      due += std::chrono::duration_cast<Clock::duration>(period_);
      if (stopped_.wait_until(lock, due, [this] { return stopping_; })) return;
      lock.unlock();
      ++(std::system(command_.c_str()) == 0 ? rotations : failed);
      lock.lock();
    }
  }

  std::string command_;
  std::chrono::duration<double> period_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::thread thread_;
};

struct Outcome {
  LoadResult load;
  std::size_t certificates = 0;
  std::uint64_t rotations = 0;
  std::uint64_t failed_rotations = 0;
};

Outcome put_load_on(const LoadOptions& load, const Options& options) {
  std::vector<LoadResult> results(options.threads);
  std::vector<std::set<std::uint64_t>> seen(options.threads);
  Rotator rotator(options.rotate_command, options.rotate_every);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < options.threads; ++i) {
    threads.emplace_back([&, i] {
      LoadOptions own = load;
      own.on_handshake = [&seen = seen[i]](const Sighting& sighting) {
        if (sighting.certificate != 0) seen.insert(sighting.certificate);
      };
      results[i] = run_load(own);
    });
  }
  for (std::thread& thread : threads) thread.join();
  rotator.stop();
  Outcome outcome{.load = std::move(results[0])};
  for (unsigned i = 1; i < options.threads; ++i) {
    outcome.load.add(results[i]);
    seen[0].merge(seen[i]);
  }
  outcome.certificates = seen[0].size();
  outcome.rotations = rotator.rotations;
  outcome.failed_rotations = rotator.failed;
  return outcome;
}

boost::json::object to_json(const Outcome& outcome) {
  const LoadResult& load = outcome.load;
  boost::json::object latency;
  for (const auto& [name, percent] : std::map<std::string, double>{
           {"p50", 50}, {"p90", 90}, {"p99", 99}, {"p99.9", 99.9}, {"max", 100}}) {
    latency[name] = 1e-3 * static_cast<double>(load.latency.percentile(percent).count());
  }
  boost::json::object failures;
  for (const auto& [reason, count] : load.failures) failures[reason] = count;
  return {{"operations", load.operations},
          {"seconds", load.seconds},
          {"per_second", load.per_second()},
          {"latency_us", latency},
          {"handshakes", load.handshakes},
          {"resumed", load.resumed},
          {"failed", load.failed},
          {"failures", failures},
          {"owed", load.owed},
          {"certificates", outcome.certificates},
          {"rotations", outcome.rotations},
          {"failed_rotations", outcome.failed_rotations},
          {"load_busy", load.busy}};
}

void print(const Outcome& outcome) {
  const LoadResult& load = outcome.load;
  const auto us = [&](double percent) {
    return 1e-3 * static_cast<double>(load.latency.percentile(percent).count());
  };
  std::printf("%llu operations in %.1f s: %.0f/s\n",
              static_cast<unsigned long long>(load.operations), load.seconds, load.per_second());
  std::printf("latency, us: p50 %.0f, p90 %.0f, p99 %.0f, p99.9 %.0f, max %.0f\n", us(50), us(90),
              us(99), us(99.9), us(100));
  std::printf(
      "handshakes: %llu, resumed %llu; certificates seen: %zu; rotations: %llu, failed %llu\n",
      static_cast<unsigned long long>(load.handshakes),
      static_cast<unsigned long long>(load.resumed), outcome.certificates,
      static_cast<unsigned long long>(outcome.rotations),
      static_cast<unsigned long long>(outcome.failed_rotations));
  std::printf("failed: %llu\n", static_cast<unsigned long long>(load.failed));
  for (const auto& [reason, count] : load.failures) {
    std::printf("  %llu x %s\n", static_cast<unsigned long long>(count), reason.c_str());
  }
  if (load.owed > 0) {
    std::printf("never begun: %llu operations: more --connections, or the server is too slow\n",
                static_cast<unsigned long long>(load.owed));
  }
  std::printf("the load took %.0f %% of a processor%s\n", 100 * load.busy,
              load.busy > 0.95 ? ": IT WAS THE BOTTLENECK, the server can do more than this" : "");
}

}  // namespace

int run_command(int argc, char** argv) {
  Options options;
  const po::options_description visible = describe(options);
  po::variables_map values;
  po::store(po::parse_command_line(argc, argv, visible), values);
  if (values.contains("help")) {
    std::cout << visible;
    return 0;
  }
  po::notify(values);
  const Outcome outcome = put_load_on(load_options(options), options);
  print(outcome);
  if (!options.json_file.empty()) {
    std::ofstream(options.json_file) << boost::json::serialize(to_json(outcome)) << '\n';
  }
  return outcome.load.failed == 0 && outcome.failed_rotations == 0 ? 0 : 1;
}

}  // namespace livetls::bench
