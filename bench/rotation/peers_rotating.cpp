// Every server changes its certificate once a second under the same load, each by its own means,
// and clients say what they were served.

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <thread>

#include "contest.hpp"
#include "load/sighting_hash.hpp"
#include "measures.hpp"
#include "peers.hpp"
#include "subject.hpp"

namespace livetls::bench {

namespace json = boost::json;

namespace {

/// Returns when the server says that the certificate is the new one.
using Rotate = std::function<void(std::size_t certificate)>;

struct Change {
  Clock::time_point began;
  Clock::time_point done;
  std::uint64_t certificate;
};

struct Outcome {
  LoadResult load;
  std::vector<Change> changes;
  std::uint64_t stale = 0;
  double last_stale_ms = 0;  ///< from the change's end to the last who was served what it replaced
  double longest_change_ms = 0;
};

double millis(Clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

void count_stale(Outcome& outcome, const std::vector<Sighting>& sightings,
                 const std::map<std::uint64_t, std::size_t>& order) {
  for (const Sighting& sighting : sightings) {
    const auto served = order.find(sighting.certificate);
    if (served == order.end()) continue;
    const std::size_t replaced_by = served->second;  // changes[i] brings certificate i + 1
    if (replaced_by >= outcome.changes.size()) continue;
    const Clock::duration late = sighting.hello_sent - outcome.changes[replaced_by].done;
    if (late <= Clock::duration::zero()) continue;
    ++outcome.stale;
    outcome.last_stale_ms = std::max(outcome.last_stale_ms, millis(late));
  }
}

Outcome rotate_under_load(Bench& bench, std::uint16_t port, const Rotate& rotate, int seconds) {
  Outcome outcome;
  std::vector<Sighting> sightings;
  LoadOptions load = bench.load();
  load.target = {boost::asio::ip::address_v4::loopback(), port};
  load.duration = std::chrono::seconds(seconds);
  load.on_handshake = [&](const Sighting& sighting) { sightings.push_back(sighting); };
  std::jthread clients([&] { outcome.load = run_load(load); });

  std::map<std::uint64_t, std::size_t> order = {{leaf_hash(bench.certificates[0]), 0}};
  for (int second = 1; second < seconds; ++second) {
    std::this_thread::sleep_until(Clock::now() + std::chrono::seconds(1));
    const auto next = static_cast<std::size_t>(second);
    Change change{Clock::now(), {}, leaf_hash(bench.certificates[next])};
    rotate(next);
    change.done = Clock::now();
    outcome.longest_change_ms =
        std::max(outcome.longest_change_ms, millis(change.done - change.began));
    order.emplace(change.certificate, next);
    outcome.changes.push_back(change);
  }
  clients.join();
  count_stale(outcome, sightings, order);
  return outcome;
}

json::array moments(const Outcome& outcome) {
  json::array seconds;
  for (const Change& change : outcome.changes) {
    seconds.push_back(std::chrono::duration<double>(change.began - outcome.load.began).count());
  }
  return seconds;
}

class Pictures {
 public:
  void add(const std::string& name, const Outcome& outcome) {
    add(failed_, name, static_cast<double>(outcome.load.failed));
    add(stale_, name, static_cast<double>(outcome.stale));
    add(last_stale_, name, outcome.last_stale_ms);
    add(longest_, name, outcome.longest_change_ms);
    runs_.push_back(over_time(name + ", rotating once a second", outcome.load, moments(outcome)));
  }

  void move_to(json::array& series) {
    series.push_back(bars("Failed operations while rotating once a second", "", failed_));
    series.push_back(
        bars("Handshakes served the old certificate after the change was done", "", stale_));
    series.push_back(bars("The last of them, after the change was done", "ms", last_stale_));
    series.push_back(bars("Longest change of a certificate", "ms", longest_));
    for (json::object& run : runs_) series.push_back(std::move(run));
  }

 private:
  static void add(json::array& to, const std::string& name, double value) {
    to.push_back(json::object{{"name", name}, {"value", value}, {"ours", name == "livetls"}});
  }
  static json::object bars(const char* title, const char* unit, const json::array& values) {
    return {{"kind", "bars"}, {"title", title}, {"unit", unit}, {"bars", values}};
  }

  json::array failed_, stale_, last_stale_, longest_;
  std::vector<json::object> runs_;
};

}  // namespace

void measure_peers_rotating(Bench& bench) {
  const int seconds = bench.choose(15, 5, 2);
  Pictures pictures;
  {
    Subject subject({}, bench.certificates);
    pin_to(kLoadProcessor);
    pictures.add("livetls", rotate_under_load(
                                bench, subject.port(),
                                [&](std::size_t) { subject.rotate_at_once(1); }, seconds));
  }
  for (const char* name : {"nginx", "haproxy", "asio_ssl"}) {
    if (!Peer::available(name)) continue;
    Peer peer = start_peer(name, {.service = Service::https, .directory = bench.directory},
                           bench.certificates[0]);
    pin_to(kLoadProcessor);
    pictures.add(display_name(name),
                 rotate_under_load(
                     bench, peer.port(),
                     [&](std::size_t next) { peer.rotate(bench.certificates[next]); }, seconds));
  }
  pictures.move_to(bench.report.series);
}

}  // namespace livetls::bench
