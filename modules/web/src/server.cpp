#include "livetls/web/server.hpp"

#include <limits>
#include <stdexcept>
#include <utility>

#include "session.hpp"

namespace livetls::web {
namespace {

constexpr std::size_t kMinHeaderBytes = 256;

void check(const ServerOptions& options) {
  const auto none = std::chrono::steady_clock::duration::zero();
  if (options.header_timeout <= none || options.body_timeout <= none ||
      options.idle_timeout <= none || options.write_timeout <= none || options.last_call <= none) {
    throw std::invalid_argument("the timeouts of web::ServerOptions must be above zero");
  }
  if (options.max_header_bytes < kMinHeaderBytes ||
      options.max_header_bytes > std::numeric_limits<std::uint32_t>::max()) {
    throw std::invalid_argument("web::ServerOptions.max_header_bytes must be 256 or more");
  }
  if (options.max_header_fields == 0 || options.max_requests == 0) {
    throw std::invalid_argument(
        "web::ServerOptions: max_header_fields and max_requests must be above zero");
  }
  if (options.max_body_bytes == 0 || options.min_body_rate == 0) {
    throw std::invalid_argument(
        "web::ServerOptions: max_body_bytes and min_body_rate must be above zero");
  }
}

/// As other servers do, so that whoever forgot the "s" sees it.
std::string plain_http_answer() {
  const std::string text = "This port speaks HTTPS; ask for https:// instead of http://\n";
  return "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
         "Content-Length: " +
         std::to_string(text.size()) + "\r\nConnection: close\r\n\r\n" + text;
}

ListenerOptions listener_options(const ServerOptions& options) {
  check(options);
  ListenerOptions listener;
  listener.address = options.address;
  listener.port = options.port;
  listener.unix_permissions = options.unix_permissions;
  listener.plain = options.plain;
  listener.proxies = options.proxies;
  listener.alpn = {"http/1.1"};
  if (!options.plain) listener.plain_http_answer = plain_http_answer();
  listener.unknown_name = options.unknown_name;
  listener.handshake_timeout = options.handshake_timeout;
  listener.max_connections = options.max_connections;
  listener.max_pending = options.max_pending;
  listener.max_handshakes = options.max_handshakes;
  listener.stalled_after = options.stalled_after;
  return listener;
}

Listener::Handler handler_for(std::shared_ptr<const Site> site) {
  return [site](Connection& connection) { return serve(connection, site); };
}

}  // namespace

Server::Server(Runtime& runtime, std::shared_ptr<CertManager> manager, Router router,
               ServerOptions options)
    : site_(std::make_shared<const Site>(std::move(router), options, manager)),
      listener_(runtime, std::move(manager), handler_for(site_), listener_options(options)) {}

ServerCounters Server::counters() const {
  const RequestCounts& counts = site_->counts;
  ServerCounters counters{listener_.counters()};
  counters.requests = counts.total(Event::request);
  counters.malformed = counts.total(Event::malformed);
  counters.header_too_large = counts.total(Event::header_too_large);
  counters.header_timed_out = counts.total(Event::header_timed_out);
  counters.body_too_large = counts.total(Event::body_too_large);
  counters.body_timed_out = counts.total(Event::body_timed_out);
  counters.misdirected = counts.total(Event::misdirected);
  counters.failed = counts.total(Event::failed);
  counters.write_timed_out = counts.total(Event::write_timed_out);
  counters.client_gone = counts.total(Event::client_gone);
  return counters;
}

}  // namespace livetls::web
