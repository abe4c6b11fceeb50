#include "run.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <condition_variable>
#include <iostream>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include "certificates.hpp"
#include "control.hpp"
#include "livetls/net/runtime.hpp"
#include "load_process.hpp"
#include "pem_file.hpp"
#include "report.hpp"
#include "servers.hpp"

namespace livetls::demo {
namespace {

namespace json = boost::json;
using Clock = std::chrono::steady_clock;

/// Rotates at a steady rate, while it is switched on, until it is destroyed.
class Rotation {
 public:
  Rotation(Servers& servers, double hz)
      : servers_(servers),
        hz_(hz),
        thread_([this](const std::stop_token& stop) { rotate(stop); }) {}

  void switch_on(bool on) {
    const std::scoped_lock lock(mutex_);
    on_ = on && hz_ > 0;
    wake_.notify_one();
  }

 private:
  void rotate(const std::stop_token& stop) {
    const auto period = std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(hz_ > 0 ? 1 / hz_ : 0));
    std::unique_lock lock(mutex_);
    while (wake_.wait(lock, stop, [this] { return on_; })) {
      for (auto next = Clock::now() + period; on_; next += period) {
        if (wake_.wait_until(lock, stop, next, [this] { return !on_; })) break;
        if (stop.stop_requested()) return;
        servers_.rotate();
      }
    }
  }

  Servers& servers_;
  double hz_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool on_ = false;
  std::jthread thread_;
};

/// As many as will be served, so that none is made while it is measured what rotating costs.
std::size_t certificates_needed(const RunOptions& options) {
  const double rotations =
      options.rotate_hz * std::chrono::duration<double>(options.load.duration).count();
  return static_cast<std::size_t>(std::min<double>(rotations, Certificates::kMostReady)) + 1;
}

LoadOptions load_on(const Servers& servers, const std::string& ca_file, const RunOptions& options) {
  LoadOptions load = options.load;
  load.https_port = servers.https_port();
  load.tcp_port = servers.tcp_port();
  load.ca_file = ca_file;
  if (options.control) load.report_every = Control::kSlice;
  return load;
}

/// Rotates while the load runs, and prints what it says. Answers its last line.
json::value follow(LoadProcess& load, Servers& servers, double rotate_hz, Control* control) {
  Rotation rotation(servers, rotate_hz);
  rotation.switch_on(true);
  std::uint64_t generation = servers.manager().generation();
  json::value last;
  int seconds = 0;
  std::size_t rounds = 0;
  for (json::value line = load.next(); !line.is_null(); last = std::exchange(line, load.next())) {
    if (line.at("done").as_bool()) continue;
    const std::uint64_t before = std::exchange(generation, servers.manager().generation());
    const Slice slice = slice_between(last, line, generation - before);
    if (control == nullptr) {
      print_second(++seconds, slice, line, generation);
      continue;
    }
    const auto round = control->add(slice);
    rotation.switch_on(control->rotates_next());
    if (round) print_round(++rounds, *round);
  }
  return last;
}

}  // namespace

int run(const RunOptions& options) {
  // Slices without rotation serve one certificate: with RSA among the others, what that costs would
  // count as the rotation's.
  Certificates certificates({.rsa_too = !options.control, .ready = certificates_needed(options)});
  Runtime runtime({.threads = options.threads, .stop_on_signals = false});
  Servers servers(runtime, std::move(certificates), 0, 0);
  runtime.start();
  const PemFile ca(servers.root_pem());
  print_beginning(options, servers);

  const Clock::time_point start = Clock::now();
  LoadProcess load(load_on(servers, ca.path(), options));
  Control control;
  const json::value last =
      follow(load, servers, options.rotate_hz, options.control ? &control : nullptr);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (!load.succeeded() || last.is_null() || !last.at("done").as_bool()) {
    std::cerr << "livetls_demo: the load process did not finish\n";
    return 1;
  }
  json::object result = summary(last, servers, seconds);
  if (options.control) result["control"] = control.to_json();
  const bool good = flawless(result);
  print_summary(result, good);
  if (!options.json_file.empty()) write_json(options.json_file, result);
  return good ? 0 : 1;
}

}  // namespace livetls::demo
