// livetls-bench: compares livetls with its peers and bounds, or (`run`) loads any server.

#include <algorithm>
#include <boost/algorithm/string.hpp>
#include <boost/json/serialize.hpp>
#include <boost/program_options.hpp>
#include <ctime>
#include <fstream>
#include <iostream>

#include "html_report.hpp"
#include "livetls/pki/certificate_authority.hpp"
#include "machine.hpp"
#include "measures.hpp"
#include "peers.hpp"
#include "run_command.hpp"
#include "subject.hpp"
#include "support/temporary_directory.hpp"

namespace livetls::bench {
namespace {

namespace po = boost::program_options;

struct Options {
  bool quick = false;
  bool smoke = false;
  std::size_t rounds = 0;
  std::string only;
  std::string json_file;
  std::string html_file;
};

std::string now_utc() {
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
  return text;
}

boost::json::object peer_versions() {
  boost::json::object versions;
  for (const char* name : {"nginx", "haproxy", "hitch", "asio_ssl"}) {
    if (Peer::available(name)) versions[display_name(name)] = Peer::version(name);
  }
  return versions;
}

std::vector<Measure> chosen(const std::string& only) {
  if (only.empty()) return measures();
  std::vector<std::string> names;
  boost::split(names, only, boost::is_any_of(","));
  std::vector<Measure> result;
  for (const std::string& name : names) {
    const auto found = std::ranges::find(measures(), name, &Measure::name);
    if (found == measures().end()) throw po::error("there is no measure '" + name + "'");
    result.push_back(*found);
  }
  return result;
}

void write(const std::string& file, const std::string& text) {
  if (file.empty()) return;
  if (!(std::ofstream(file) << text)) throw std::runtime_error(file + " cannot be written");
}

int compare(const Options& options, const std::string& command) {
  const auto begin = Clock::now();
  Report report{.command = command, .quick = options.quick, .started = now_utc()};
  report.machine = describe_machine();
  report.machine["peers"] = peer_versions();
  const test::TemporaryDirectory directory;
  const auto authority = CertificateAuthority::create().value();
  Bench bench{.scale = options.smoke   ? Scale::smoke
                       : options.quick ? Scale::quick
                                       : Scale::full,
              .directory = directory.path(),
              .certificates = {},
              .report = report,
              .wanted_rounds = options.rounds};
  for (int i = 0; i < 64; ++i) bench.certificates.push_back(authority.issue().value());

  bool all_ran = true;
  for (const Measure& measure : chosen(options.only)) {
    const std::size_t rows = report.rows.size();
    std::cerr << measure.title << '\n';
    try {
      measure.run(bench);
    } catch (const std::exception& error) {  // the others' figures are not lost for it
      report.rows.push_back({.measure = measure.title, .concluded = false, .note = error.what()});
      all_ran = false;
    }
    const std::vector<Row> added(report.rows.begin() + static_cast<std::ptrdiff_t>(rows),
                                 report.rows.end());
    std::cout << Report{.rows = added}.table() << std::flush;
  }
  report.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  const boost::json::object json = report.to_json();
  write(options.json_file, boost::json::serialize(json) + "\n");
  write(options.html_file, html_report(json));
  for (const std::string& file : {options.json_file, options.html_file}) {
    if (!file.empty()) std::cerr << "written: " << file << '\n';
  }
  return (options.smoke ? all_ran : report.all_hold()) ? 0 : 1;
}

std::string names_of_measures() {
  std::string names;
  for (const Measure& measure : measures()) names += (names.empty() ? "" : ", ") + measure.name;
  return names;
}

int main(int argc, char** argv) {
  Options options;
  po::options_description visible(
      "usage: livetls-bench [options]      compares livetls with nginx, HAProxy and others\n"
      "       livetls-bench run --help     loads any server\n\n"
      "Ends with 1 where a bound does not hold. Options");
  visible.add_options()("quick", po::bool_switch(&options.quick), "below five minutes, coarser")(
      "smoke", po::bool_switch(&options.smoke), "half a minute: only whether everything runs")(
      "only", po::value(&options.only)->value_name("NAMES"),
      ("with commas: " + names_of_measures()).c_str())("rounds", po::value(&options.rounds),
                                                       "of each comparison")(
      "json", po::value(&options.json_file)->value_name("FILE"), "write all figures there")(
      "html", po::value(&options.html_file)->value_name("FILE"), "write the report there")("help",
                                                                                           "");
  po::options_description all;
  all.add(visible).add_options()("slowed", "");  // for the tests
  raise_descriptor_limit();
  try {
    if (argc > 1 && std::string_view(argv[1]) == "run") return run_command(argc - 1, argv + 1);
    po::variables_map values;
    po::store(po::parse_command_line(argc, argv, all), values);
    po::notify(values);
    if (values.contains("help")) {
      std::cout << visible;
      return 0;
    }
    if (values.contains("slowed")) slow_down_subjects();
    return compare(options, boost::join(std::vector<std::string>(argv + 1, argv + argc), " "));
  } catch (const std::exception& error) {
    std::cerr << "livetls-bench: " << error.what() << '\n';
    return 2;
  }
}

}  // namespace
}  // namespace livetls::bench

int main(int argc, char** argv) { return livetls::bench::main(argc, argv); }
