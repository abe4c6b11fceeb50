// Resident memory of a server over many updates, each with a fresh certificate and key, while
// clients in another process connect, ask and leave.

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/program_options.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>

#include "https_load.hpp"
#include "livetls/net/runtime.hpp"
#include "livetls/pki/certificate_authority.hpp"
#include "livetls/web/server.hpp"

namespace livetls::bench {
namespace {

namespace po = boost::program_options;

std::uint64_t resident_kib() {
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) / 1024;
}

/// Clients that come and go for as long as the server lives.
[[noreturn]] void keep_connecting(int port_pipe, const TrustBundle& roots) {
  std::uint16_t port = 0;
  if (::read(port_pipe, &port, sizeof port) != sizeof port) _exit(1);
  const auto context = ClientContext::create({.roots = roots}).value();
  try {
    for (;;) load_https(port, context, 100);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "a connection failed: %s\n", error.what());
  }
  _exit(1);
}

int run(int updates, int sample_every) {
  const auto authority = CertificateAuthority::create().value();
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("pipe");
  const pid_t clients = fork();
  if (clients == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    keep_connecting(ends[0], authority.trust_bundle());
  }

  Runtime runtime({.threads = 1, .stop_on_signals = false});
  const auto manager = CertManager::create(authority.issue().value()).value();
  web::Router router;
  router.get("/", [](web::Request&) { return web::Response::text("hello\n"); });
  web::Server server(runtime, manager, std::move(router));
  runtime.start();
  const std::uint16_t port = server.port();
  if (::write(ends[1], &port, sizeof port) != sizeof port) throw std::runtime_error("pipe");

  std::uint64_t first = 0;
  for (int i = 1; i <= updates; ++i) {
    manager->update(authority.issue().value()).value();
    if (i % sample_every != 0) continue;
    const std::uint64_t now = resident_kib();
    if (first == 0) first = now;
    std::printf("%6d updates  %6llu KiB  %8llu connections\n", i,
                static_cast<unsigned long long>(now),
                static_cast<unsigned long long>(server.counters().handshakes));
    std::fflush(stdout);
  }
  const bool clients_live = waitpid(clients, nullptr, WNOHANG) == 0;
  kill(clients, SIGKILL);
  std::printf("growth after the first %d updates: %lld KiB; failed handshakes: %llu\n",
              sample_every, static_cast<long long>(resident_kib()) - static_cast<long long>(first),
              static_cast<unsigned long long>(server.counters().failed_handshakes()));
  return clients_live ? 0 : 1;
}

int main(int argc, char** argv) {
  int updates = 0;
  int sample_every = 0;
  po::options_description visible("usage: ./dev bench memory [options]");
  visible.add_options()("updates", po::value(&updates)->default_value(20'000), "how many")(
      "sample-every", po::value(&sample_every)->default_value(1000), "updates")("help", "");
  try {
    po::variables_map values;
    po::store(po::parse_command_line(argc, argv, visible), values);
    po::notify(values);
    if (values.contains("help")) {
      std::cout << visible;
      return 0;
    }
    return run(updates, sample_every);
  } catch (const std::exception& error) {
    std::cerr << "livetls_bench_memory: " << error.what() << '\n';
    return 1;
  }
}

}  // namespace
}  // namespace livetls::bench

int main(int argc, char** argv) { return livetls::bench::main(argc, argv); }
