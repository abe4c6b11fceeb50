#include "run.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <mutex>
#include <stop_token>
#include <thread>

#include "livetls/net/runtime.hpp"
#include "pem_file.hpp"
#include "servers.hpp"

namespace livetls::demo {
namespace {

namespace json = boost::json;
using Clock = std::chrono::steady_clock;

/// The load, as a child process whose standard output is read here.
class LoadProcess {
 public:
  LoadProcess(const LoadOptions& options, const Servers& servers, const std::string& ca_file) {
    const std::vector<std::string> arguments = {
        "livetls_demo",
        "--load",
        "--seconds=" + std::to_string(std::chrono::duration<double>(options.duration).count()),
        "--connections=" + std::to_string(options.connections),
        "--kept=" + std::to_string(options.kept),
        "--load-https-port=" + std::to_string(servers.https_port()),
        "--load-tcp-port=" + std::to_string(servers.tcp_port()),
        "--load-ca=" + ca_file};
    // Made before the fork: between fork and exec, a process with threads must not allocate.
    std::vector<char*> argv;
    for (const std::string& argument : arguments) {
      argv.push_back(const_cast<char*>(argument.c_str()));
    }
    argv.push_back(nullptr);
    int ends[2];
    if (pipe(ends) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    pid_ = fork();
    if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (pid_ == 0) exec(argv.data(), ends);
    ::close(ends[1]);
    output_ = fdopen(ends[0], "r");
  }

  ~LoadProcess() {
    fclose(output_);
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
  }

  /// The next line it prints; empty at its end.
  json::value next() {
    char* line = nullptr;
    std::size_t capacity = 0;
    const ssize_t size = getline(&line, &capacity, output_);
    const std::unique_ptr<char, decltype(&std::free)> owner(line, &std::free);
    return size <= 0 ? json::value() : json::parse(line);
  }

  bool succeeded() {
    int status = 0;
    waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

 private:
  [[noreturn]] static void exec(char** argv, const int (&ends)[2]) {
    dup2(ends[1], STDOUT_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    execv("/proc/self/exe", argv);
    _exit(127);
  }

  pid_t pid_ = -1;
  FILE* output_ = nullptr;
};

/// Rotates at a steady rate until it is destroyed.
class Rotation {
 public:
  Rotation(Servers& servers, double hz)
      : thread_([&servers, hz](const std::stop_token& stop) {
          if (hz > 0) rotate(servers, hz, stop);
        }) {}

 private:
  static void rotate(Servers& servers, double hz, const std::stop_token& stop) {
    const auto period =
        std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / hz));
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    for (auto next = Clock::now() + period;; next += period) {
      wake.wait_until(lock, stop, next, [] { return false; });
      if (stop.stop_requested()) return;
      servers.rotate();
    }
  }

  std::jthread thread_;
};

std::uint64_t number(const json::value& value, std::string_view a, std::string_view b) {
  return value.at(a).at(b).to_number<std::uint64_t>();
}

void print_second(int second, const json::value& now, const json::value& before,
                  std::uint64_t generation) {
  const auto total = [](const json::value& line, std::string_view what) {
    return number(line, "https", what) + number(line, "tcp", what);
  };
  const std::uint64_t handshakes =
      total(now, "handshakes") - (before.is_null() ? 0 : total(before, "handshakes"));
  std::printf(
      "%4d s   %6llu handshakes/s   p50 %5.1f ms   p99 %5.1f ms   failed %llu   generation %llu\n",
      second, static_cast<unsigned long long>(handshakes),
      static_cast<double>(now.at("p50_us").to_number<std::uint64_t>()) / 1000,
      static_cast<double>(now.at("p99_us").to_number<std::uint64_t>()) / 1000,
      static_cast<unsigned long long>(total(now, "failed")),
      static_cast<unsigned long long>(generation));
  std::fflush(stdout);
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

void print_summary(const json::object& result, bool good) {
  const json::value value = result;
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
  std::puts(good ? "Nothing was lost." : "SOMETHING WENT WRONG: see above.");
}

}  // namespace

int run(const RunOptions& options) {
  Runtime runtime({.threads = options.threads, .stop_on_signals = false});
  Servers servers(runtime, 0, 0);
  runtime.start();
  const PemFile ca(servers.root_pem());

  std::printf(
      "https://localhost:%u and a TLS echo server on port %u share one CertManager;\n"
      "their certificate changes %g times a second, between ECDSA and RSA.\n\n",
      servers.https_port(), servers.tcp_port(), options.rotate_hz);
  const Clock::time_point start = Clock::now();
  LoadProcess load(options.load, servers, ca.path());
  json::value last;
  {
    const Rotation rotation(servers, options.rotate_hz);
    int second = 0;
    for (json::value line = load.next(); !line.is_null(); line = load.next()) {
      if (!line.at("done").as_bool()) {
        print_second(++second, line, last, servers.manager().generation());
      }
      last = std::move(line);
    }
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (!load.succeeded() || last.is_null() || !last.at("done").as_bool()) {
    std::cerr << "livetls_demo: the load process did not finish\n";
    return 1;
  }
  const json::object result = summary(last, servers, seconds);
  const bool good = flawless(result);
  print_summary(result, good);
  if (!options.json_file.empty()) {
    std::ofstream file(options.json_file);
    file << json::serialize(result) << '\n';
    if (!file.flush()) {
      std::cerr << "livetls_demo: " << options.json_file << " cannot be written\n";
      return 1;
    }
  }
  return good ? 0 : 1;
}

}  // namespace livetls::demo
