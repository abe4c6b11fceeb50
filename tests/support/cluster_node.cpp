// A node of a cluster, in a process of its own: it sends numbered messages to all others, 1,000 a
// second to each in bursts, and counts what comes. Its certificate is read again at SIGHUP; at
// SIGUSR1, the old ones are revoked, too, so that their connections end.
//
//     cluster_node NAME DIRECTORY PEER...
//
// In the directory are NAME.pem, NAME.key and roots.pem; NAME.port is written there. It answers
// each line that it reads with a line of JSON, and ends with its input.

#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "livetls/async/timer.hpp"
#include "livetls/base/log.hpp"
#include "livetls/node/node.hpp"

using namespace livetls;
using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace json = boost::json;

namespace {

std::string without_host(const std::string& name) { return name.substr(0, name.find('@')); }

/// What came from one incarnation of a peer.
struct Received {
  std::uint64_t count = 0;
  std::uint64_t last = 0;
  std::uint64_t missing = 0;
  std::uint64_t repeated = 0;  // or out of order
};

class Tally {
 public:
  void note(const node::Message& message) {
    const std::string& text = message.payload.bytes();
    const std::size_t space = text.find(' ');
    const std::uint64_t number = std::stoull(text.substr(space + 1));
    const std::scoped_lock lock(mutex_);
    if (!message.from->is_verified) ++unverified_;
    Received& received =
        received_[without_host(message.from->name.text()) + " " + text.substr(0, space)];
    ++received.count;
    if (number <= received.last) {
      ++received.repeated;
    } else {
      received.missing += number - received.last - 1;
      received.last = number;
    }
  }

  void sent(const std::string& to) {
    const std::scoped_lock lock(mutex_);
    ++sent_[without_host(to)];
  }

  json::object report() const {
    const std::scoped_lock lock(mutex_);
    json::object received;
    for (const auto& [from, counts] : received_) {
      received[from] = {
          {"count", counts.count}, {"missing", counts.missing}, {"repeated", counts.repeated}};
    }
    json::object sent;
    for (const auto& [to, count] : sent_) sent[to] = count;
    return {{"received", received}, {"sent", sent}, {"unverified", unverified_}};
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Received> received_;
  std::map<std::string, std::uint64_t> sent_;
  std::uint64_t unverified_ = 0;
};

/// Where nodes are is written in files.
class Files final : public node::Registrar {
 public:
  explicit Files(std::filesystem::path directory) : directory_(std::move(directory)) {}

  Task<Result<std::vector<node::Route>>> resolve(node::NodeName name) override {
    std::uint16_t port = 0;
    std::ifstream(directory_ / (without_host(name.text()) + ".port")) >> port;
    std::vector<node::Route> routes;
    if (port != 0) routes.push_back({.port = port, .connections = 2});
    co_return routes;
  }

  Task<void> came(node::NodeName name, std::vector<std::uint16_t> ports) override {
    const auto file = directory_ / (without_host(name.text()) + ".port");
    std::ofstream(file.string() + ".new") << ports.at(0);
    std::filesystem::rename(file.string() + ".new", file);
    co_return;
  }

  Task<void> went(node::NodeName) override { co_return; }

 private:
  const std::filesystem::path directory_;
};

CertSet load(const std::filesystem::path& directory, const std::string& name) {
  auto certificate = Certificate::load(directory / (name + ".pem"), directory / (name + ".key"));
  return {.default_identity =
              Identity(std::move(certificate).value()).with(ClientAuth::require_and_verify),
          .client_roots = TrustBundle::load(directory / "roots.pem").value()};
}

std::uint64_t resident_kib() {
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) / 1024;
}

std::int64_t descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

Task<void> send_on(node::Node& self, Tally& tally, std::string to, std::string incarnation,
                   const std::atomic<bool>& ended, std::atomic<int>& running) {
  Timer pause(co_await asio::this_coro::executor);
  for (std::uint64_t number = 1; !ended; ++number) {
    const std::string text = incarnation + " " + std::to_string(number);
    auto sent = co_await self.send(to, "count", text, {.timeout = 1s});
    while (!sent && !ended) sent = co_await self.send(to, "count", text, {.timeout = 1s});
    if (sent) tally.sent(to);
    if (number % 20 != 0) continue;
    pause.expires_after(20ms);
    co_await pause.async_wait(asio::as_tuple(use_task));
  }
  --running;
}

/// False at the end of input; a signal is none.
bool read_line(std::string& line) {
  errno = 0;
  while (!std::getline(std::cin, line)) {
    if (std::exchange(errno, 0) != EINTR) return false;
    std::cin.clear();
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 3) throw std::invalid_argument("usage: cluster_node NAME DIRECTORY PEER...");
  set_log_level(LogLevel::error);
  const std::string name = argv[1];
  const std::filesystem::path directory = argv[2];
  Tally tally;
  Files files(directory);
  std::atomic<bool> ended = false;
  const auto manager = CertManager::create(load(directory, name)).value();
  Runtime runtime({.threads = 2, .stop_grace = 5s, .stop_on_signals = false});
  runtime.on_signal(SIGHUP, [&] {
    manager->update(load(directory, name)).value();
    std::cout << "updated" << std::endl;
  });
  runtime.on_signal(SIGUSR1, [&] {
    const Certificate old = manager->certificate();
    manager->update(load(directory, name)).value();
    manager->revoke(old, {.drain = DrainScope::all_older, .spread = 0s}).value();
    std::cout << "revoked" << std::endl;
  });
  runtime.start();
  {
    node::NodeOptions options{.cert_manager = manager,
                              .acceptors = {{.address = "127.0.0.1"}},
                              .registrar = &files,
                              .cookie = "of the cluster",
                              .heartbeat = 1s,
                              .reconnect_min = 10ms,
                              .reconnect_max = 200ms};
    options.services.messages["count"] = [&tally](node::Message message) -> Task<void> {
      tally.note(message);
      co_return;
    };
    node::Node self(runtime, name + "@localhost", std::move(options));
    const std::string incarnation = std::to_string(::getpid());
    std::atomic<int> running = argc - 3;
    for (int i = 3; i < argc; ++i) {
      asio::co_spawn(
          runtime.executor(static_cast<std::size_t>(i) % 2),
          send_on(self, tally, argv[i] + std::string("@localhost"), incarnation, ended, running),
          asio::detached);
    }
    std::cout << "ready" << std::endl;
    for (std::string line; read_line(line);) {
      if (line == "be quiet") ended = true;
      const node::NodeCounters counters = self.counters();
      json::object report = tally.report();
      report["links"] = counters.links;
      report["links_lost"] = counters.links_lost;
      report["dialled"] = counters.dialled;
      report["refused"] = counters.refused;
      report["descriptors"] = descriptors();
      report["resident_kib"] = resident_kib();
      std::cout << json::serialize(report) << std::endl;
    }
    ended = true;
    while (running > 0) std::this_thread::sleep_for(1ms);
  }
  runtime.stop();
  runtime.run();
} catch (const std::exception& error) {
  std::cerr << "cluster_node: " << error.what() << '\n';
  return 1;
}
