// The demo: an HTTPS API and a raw TLS echo server share one CertManager, whose certificate changes
// many times a second while clients in another process connect, verify and ask.

#include <unistd.h>

#include <boost/program_options.hpp>
#include <filesystem>
#include <iostream>
#include <string>

#include "load.hpp"
#include "run.hpp"
#include "serve.hpp"

namespace livetls::demo {
namespace {

namespace po = boost::program_options;

struct Options {
  RunOptions run;
  ServeOptions serve;
  LoadOptions load;
  double seconds = 10;
  int report_ms = 1000;
  bool serve_only = false;
  bool load_only = false;
  bool help = false;
};

Options parse(int argc, char** argv, std::string& usage) {
  Options options;
  po::options_description visible("usage: ./dev demo [options]");
  visible.add_options()  //
      ("seconds", po::value(&options.seconds)->default_value(10), "how long to run")(
          "rotate-hz", po::value(&options.run.rotate_hz)->default_value(10),
          "certificate updates a second; 0 for none. The certificates are made before the run "
          "(up to 4096, then from the first again), so that a rotation costs an update alone")(
          "control", po::bool_switch(&options.run.control),
          "rotate in every other half second only, and compare throughput and p99 latency with and "
          "without; ECDSA alone, so that only the rotation differs")(
          "connections", po::value(&options.load.connections)->default_value(4),
          "fresh connections at a time, to each server; half of them TLS 1.2")(
          "kept", po::value(&options.load.kept)->default_value(4),
          "connections to each server that stay open throughout")(
          "threads", po::value(&options.run.threads)->default_value(0),
          "server threads; 0 for one a processor")(
          "json", po::value(&options.run.json_file)->value_name("FILE"),
          "write the summary there, too")("serve", po::bool_switch(&options.serve_only),
                                          "only serve, until Ctrl-C; rotate on Enter or SIGHUP")(
          "https-port", po::value(&options.serve.https_port)->default_value(8443), "with --serve")(
          "tcp-port", po::value(&options.serve.tcp_port)->default_value(8444), "with --serve")(
          "help", po::bool_switch(&options.help));
  po::options_description hidden;
  hidden.add_options()("load", po::bool_switch(&options.load_only))(
      "load-https-port", po::value(&options.load.https_port))("load-tcp-port",
                                                              po::value(&options.load.tcp_port))(
      "load-report-ms", po::value(&options.report_ms))("load-ca", po::value(&options.load.ca_file));
  po::options_description all;
  all.add(visible).add(hidden);
  po::variables_map values;
  po::store(po::command_line_parser(argc, argv).options(all).positional({}).run(), values);
  po::notify(values);
  if (options.seconds <= 0) throw po::error("--seconds must be above zero");
  if (options.run.rotate_hz < 0) throw po::error("--rotate-hz must not be negative");
  if (options.load.connections < 1 || options.load.kept < 0) {
    throw po::error("--connections must be above zero, and --kept not negative");
  }
  if (options.run.control && (options.seconds < 2 || options.run.rotate_hz == 0)) {
    throw po::error("--control needs --rotate-hz and 2 seconds at least");
  }
  options.load.duration = std::chrono::milliseconds(static_cast<int>(options.seconds * 1000));
  options.load.report_every = std::chrono::milliseconds(options.report_ms);
  options.run.load = options.load;
  options.serve.threads = options.run.threads;
  usage = (std::ostringstream() << visible).str();
  return options;
}

int main(int argc, char** argv) {
  std::string usage;
  Options options;
  try {
    options = parse(argc, argv, usage);
  } catch (const po::error& error) {
    std::cerr << "livetls_demo: " << error.what() << "; see --help\n";
    return 2;
  }
  if (options.help) {
    std::cout << usage;
    return 0;
  }
  try {
    if (options.load_only) return run_load(options.load);
    return options.serve_only ? serve(options.serve) : run(options.run);
  } catch (const std::exception& error) {
    std::cerr << "livetls_demo: " << error.what() << '\n';
    return 1;
  }
}

}  // namespace
}  // namespace livetls::demo

int main(int argc, char** argv) { return livetls::demo::main(argc, argv); }
