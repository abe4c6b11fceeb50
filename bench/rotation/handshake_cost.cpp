// What one full TLS 1.3 handshake and one small HTTPS request cost a server in processor time,
// livetls and nginx in turn (A B A B ...), with the same certificate, each alone on one processor,
// the clients on another. Time is the kernel's account of the server's threads.

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/program_options.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <vector>

#include "https_load.hpp"
#include "livetls/net/runtime.hpp"
#include "livetls/pki/certificate_authority.hpp"
#include "livetls/web/server.hpp"
#include "server_process.hpp"

namespace livetls::bench {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

constexpr int kServerProcessor = 0;
constexpr int kClientProcessor = 1;

struct Options {
  int rounds = 9;
  int connections = 3000;
  std::string json_file;
};

struct TemporaryDirectory {
  TemporaryDirectory() {
    std::string name = (fs::temp_directory_path() / "livetls-bench-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path = name;
  }
  ~TemporaryDirectory() { fs::remove_all(path); }
  fs::path path;
};

void serve_livetls(const Certificate& certificate,
                   const std::function<void(std::uint16_t)>& listening) {
  Runtime runtime({.threads = 1});
  web::Router router;
  router.get("/", [](web::Request&) { return web::Response::text("hello\n"); });
  const auto manager =
      CertManager::create(CertSet{.default_identity = certificate}, {.session_tickets = false})
          .value();
  web::Server server(runtime, manager, std::move(router));
  listening(server.port());
  runtime.run();
}

double us_per_connection(const ServerProcess& server,
                         const std::shared_ptr<const ClientContext>& context, int connections) {
  const auto before = server.cpu_time();
  load_https(server.port(), context, connections);
  const std::chrono::duration<double, std::micro> used = server.cpu_time() - before;
  return used.count() / connections;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

int run(const Options& options) {
  const auto authority = CertificateAuthority::create().value();
  const Certificate certificate = authority.issue().value();
  const TemporaryDirectory directory;
  std::ofstream(directory.path / "cert.pem") << certificate.to_pem();
  const SecretBytes key = certificate.private_key().to_pem();
  std::ofstream(directory.path / "key.pem")
      .write(reinterpret_cast<const char*>(key.data()), static_cast<std::streamsize>(key.size()));

  const ServerProcess ours = ServerProcess::fork_of(
      kServerProcessor, [&](const auto& listening) { serve_livetls(certificate, listening); });
  const ServerProcess nginx = ServerProcess::nginx(kServerProcessor, directory.path,
                                                   fs::path(LIVETLS_BENCH_PEERS) / "nginx.conf");
  pin_to(kClientProcessor);
  const auto context = ClientContext::create({.roots = authority.trust_bundle(),
                                              .policy = {.min_version = TlsVersion::tls1_3}})
                           .value();
  for (const ServerProcess* server : {&ours, &nginx}) {
    load_https(server->port(), context, options.connections / 10);  // warm up
  }

  std::vector<double> our_us;
  std::vector<double> nginx_us;
  std::vector<double> ratios;
  for (int round = 1; round <= options.rounds; ++round) {
    our_us.push_back(us_per_connection(ours, context, options.connections));
    nginx_us.push_back(us_per_connection(nginx, context, options.connections));
    ratios.push_back(our_us.back() / nginx_us.back());
    std::printf("round %d of %d: livetls %.0f us, nginx %.0f us, ratio %.3f\n", round,
                options.rounds, our_us.back(), nginx_us.back(), ratios.back());
    std::fflush(stdout);
  }
  const auto [low, high] = std::ranges::minmax(ratios);
  std::printf(
      "server CPU per full TLS 1.3 handshake + request: livetls %.0f us, nginx %.0f us, "
      "ratio %.3f (%.3f to %.3f)\n",
      median(our_us), median(nginx_us), median(ratios), low, high);
  if (!options.json_file.empty()) {
    const boost::json::object result = {{"measure", "server CPU per full handshake + request"},
                                        {"unit", "us"},
                                        {"ours", median(our_us)},
                                        {"peer", median(nginx_us)},
                                        {"peer_name", "nginx"},
                                        {"ratio", median(ratios)},
                                        {"ratio_low", low},
                                        {"ratio_high", high}};
    std::ofstream(options.json_file) << boost::json::serialize(result) << '\n';
  }
  return 0;
}

int main(int argc, char** argv) {
  Options options;
  po::options_description visible("usage: ./dev bench handshake [options]");
  visible.add_options()("rounds", po::value(&options.rounds)->default_value(9), "of each server")(
      "connections", po::value(&options.connections)->default_value(3000), "in a round")(
      "json", po::value(&options.json_file)->value_name("FILE"), "write the result there, too")(
      "help", "");
  try {
    po::variables_map values;
    po::store(po::parse_command_line(argc, argv, visible), values);
    po::notify(values);
    if (values.contains("help")) {
      std::cout << visible;
      return 0;
    }
    if (options.rounds < 1 || options.connections < 10) throw po::error("too few to measure");
    return run(options);
  } catch (const std::exception& error) {
    std::cerr << "livetls_bench_handshake: " << error.what() << '\n';
    return 1;
  }
}

}  // namespace
}  // namespace livetls::bench

int main(int argc, char** argv) { return livetls::bench::main(argc, argv); }
