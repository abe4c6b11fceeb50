// The clients of the demo, in a process of their own: what they count, no server could make up.

#include "load.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>
#include <set>
#include <string>

#include "latencies.hpp"
#include "livetls/async/task_group.hpp"
#include "livetls/async/timer.hpp"
#include "livetls/net/socket.hpp"
#include "livetls/tls/tls_stream.hpp"

namespace livetls::demo {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;
using Stream = TlsStream<TcpSocket>;
using ContextPtr = std::shared_ptr<const ClientContext>;

/// What a server says it has served on a connection, and how it is asked over the connection.
struct Protocol {
  std::uint16_t port;
  std::string request;
  std::string_view fingerprint_label;  ///< in the answer, directly before the fingerprint
  std::string_view end_of_answer;
};

struct Counts {
  std::uint64_t handshakes = 0;
  std::uint64_t failed = 0;
  std::uint64_t requests = 0;
  std::set<Fingerprint> certificates;

  json::object to_json() const {
    return {{"handshakes", handshakes},
            {"failed", failed},
            {"requests", requests},
            {"generations_seen", certificates.size()}};
  }
};

struct KeptCounts {
  std::uint64_t opened = 0;
  std::uint64_t broken = 0;
  std::uint64_t certificate_changed = 0;
};

class Load {
 public:
  explicit Load(const LoadOptions& options)
      : options_(options), begin_(Clock::now()), end_(begin_ + options.duration) {
    const TrustBundle roots = TrustBundle::load(options.ca_file).value();
    for (const TlsVersion version : {TlsVersion::tls1_3, TlsVersion::tls1_2}) {
      const TlsPolicy policy{.min_version = version, .max_version = version};
      contexts_.push_back(ClientContext::create({.roots = roots, .policy = policy}).value());
    }
  }

  int run() {
    const Protocol https{options_.https_port, "GET /served HTTP/1.1\r\nHost: localhost\r\n\r\n",
                         "\"fingerprint\":\"", "}"};
    const Protocol echo{options_.tcp_port, "ping\n", "served ", "ping\n"};
    for (int i = 0; i < options_.connections; ++i) {
      const ContextPtr& context = contexts_[static_cast<std::size_t>(i) % contexts_.size()];
      tasks_.spawn(fresh_connections(https, https_, context));
      tasks_.spawn(fresh_connections(echo, tcp_, context));
    }
    for (int i = 0; i < options_.kept; ++i) {
      const ContextPtr& context = contexts_[static_cast<std::size_t>(i) % contexts_.size()];
      tasks_.spawn(kept_connection(https, context));
      tasks_.spawn(kept_connection(echo, context));
    }
    tasks_.spawn(report_regularly());
    io_.run();
    print(true);
    return 0;
  }

 private:
  Task<void> fresh_connections(const Protocol& protocol, Counts& counts, ContextPtr context);
  Task<void> kept_connection(const Protocol& protocol, ContextPtr context);
  Task<Stream> connect(const Protocol& protocol, ContextPtr context);
  Task<std::string> ask(Stream& stream, const Protocol& protocol);
  Task<void> report_regularly();
  void failed(Counts& counts, const std::exception& error);
  void print(bool done);

  LoadOptions options_;
  Clock::time_point begin_;
  Clock::time_point end_;
  std::vector<ContextPtr> contexts_;
  Counts https_;
  Counts tcp_;
  KeptCounts kept_;
  Latencies interval_;
  Latencies whole_;
  std::uint64_t errors_shown_ = 0;

  asio::io_context io_{1};
  TaskGroup tasks_{io_.get_executor()};
};

Task<Stream> Load::connect(const Protocol& protocol, ContextPtr context) {
  TcpSocket socket(io_.get_executor());
  co_await socket.async_connect({asio::ip::address_v4::loopback(), protocol.port}, use_task);
  socket.set_option(tcp::no_delay(true));
  Stream stream(std::move(socket), std::move(context), ServerName::parse("localhost").value());
  co_await stream.async_handshake(use_task);
  co_return stream;
}

/// One request; answers the fingerprint of the certificate that the server says it has served.
Task<std::string> Load::ask(Stream& stream, const Protocol& protocol) {
  co_await asio::async_write(stream, asio::buffer(protocol.request), use_task);
  std::string answer;
  co_await asio::async_read_until(stream, asio::dynamic_buffer(answer), protocol.end_of_answer,
                                  use_task);
  const std::size_t label = answer.find(protocol.fingerprint_label);
  if (label == std::string::npos) co_return "";
  co_return answer.substr(label + protocol.fingerprint_label.size(), 2 * sizeof(Fingerprint));
}

Task<void> Load::fresh_connections(const Protocol& protocol, Counts& counts, ContextPtr context) {
  while (Clock::now() < end_) {
    try {
      const Clock::time_point start = Clock::now();
      Stream stream = co_await connect(protocol, context);
      const Clock::duration latency = Clock::now() - start;
      interval_.add(latency);
      whole_.add(latency);
      ++counts.handshakes;

      const Fingerprint fingerprint = stream.tls().peer_certificate().value().fingerprint;
      counts.certificates.insert(fingerprint);
      const std::string served = co_await ask(stream, protocol);
      if (served != to_hex(fingerprint)) throw std::runtime_error("served " + served);
      ++counts.requests;
      co_await stream.async_shutdown(use_task);
    } catch (const std::exception& error) {
      failed(counts, error);
    }
  }
}

Task<void> Load::kept_connection(const Protocol& protocol, ContextPtr context) {
  constexpr auto kBetweenRequests = std::chrono::milliseconds(200);
  try {
    Stream stream = co_await connect(protocol, context);
    ++kept_.opened;
    const std::string fingerprint = to_hex(stream.tls().peer_certificate().value().fingerprint);
    Timer timer(io_.get_executor());
    for (bool first = true; first || Clock::now() < end_; first = false) {
      const std::string served = co_await ask(stream, protocol);
      // The echo server says it once, when the connection begins.
      if (!served.empty() && served != fingerprint) ++kept_.certificate_changed;
      timer.expires_after(kBetweenRequests);
      co_await timer.async_wait(use_task);
    }
    co_await stream.async_shutdown(use_task);
  } catch (const std::exception& error) {
    ++kept_.broken;
    std::cerr << "a kept connection broke: " << error.what() << '\n';
  }
}

void Load::failed(Counts& counts, const std::exception& error) {
  constexpr std::uint64_t kShown = 10;
  ++counts.failed;
  if (++errors_shown_ <= kShown) std::cerr << "a connection failed: " << error.what() << '\n';
}

Task<void> Load::report_regularly() {
  Timer timer(io_.get_executor(), Clock::now());
  while (Clock::now() + options_.report_every < end_) {
    timer.expires_at(timer.expiry() + options_.report_every);
    co_await timer.async_wait(use_task);
    print(false);
    interval_.clear();
  }
}

void Load::print(bool done) {
  const Latencies& latencies = done ? whole_ : interval_;
  const std::chrono::duration<double> elapsed = Clock::now() - begin_;
  const json::object line = {{"done", done},
                             {"seconds", elapsed.count()},
                             {"https", https_.to_json()},
                             {"tcp", tcp_.to_json()},
                             {"kept",
                              {{"opened", kept_.opened},
                               {"broken", kept_.broken},
                               {"certificate_changed", kept_.certificate_changed}}},
                             {"p50_us", latencies.quantile_us(0.5)},
                             {"p99_us", latencies.quantile_us(0.99)}};
  std::cout << json::serialize(line) << std::endl;
}

}  // namespace

int run_load(const LoadOptions& options) { return Load(options).run(); }

}  // namespace livetls::demo
