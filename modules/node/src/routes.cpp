#include "routes.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "core.hpp"
#include "handshake.hpp"

namespace livetls::node {
namespace {

void check(const Route& route, const NodeOptions& options) {
  const auto require = [&](bool holds, const char* what) {
    if (!holds) throw std::invalid_argument("the route to " + route.pattern + ' ' + what);
  };
  require(route.connections > 0 && route.connections <= kMaxConnections,
          "must have 1 to 16 connections");
  require(!route.pattern.empty(), "needs a pattern");
  require(route.plain || route.cert_manager || options.cert_manager,
          "needs a CertManager; say .plain = true for one without TLS");
  require(!route.plain || !route.cert_manager, "is plain and takes no CertManager");
}

std::shared_ptr<Connector> connector_for(const Route& route, const NodeOptions& options,
                                         const std::shared_ptr<CertManager>& manager) {
  const bool skip_verify = route.insecure_skip_verify || options.insecure_skip_verify;
  return std::make_shared<Connector>(
      manager, ConnectorOptions{.roots = route.roots,
                                .roots_of_manager = manager && !route.roots && !skip_verify,
                                .policy = {.min_version = TlsVersion::tls1_3},
                                .channel_binding = true,
                                .insecure_skip_verify = skip_verify,
                                .plain = route.plain,
                                .resume = false,
                                .connect_timeout = options.connect_timeout,
                                .handshake_timeout = options.connect_timeout});
}

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view text) noexcept {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = pattern.npos;
  std::size_t after_star = 0;  // what of the text is tried behind it
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      after_star = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = ++after_star;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == pattern.npos;
}

ReadyRoute::ReadyRoute(Route wanted, const NodeOptions& options, const SecretBytes& node_cookie)
    : route((check(wanted, options), std::move(wanted))),
      cert_manager(route.plain          ? nullptr
                   : route.cert_manager ? route.cert_manager
                                        : options.cert_manager),
      connector(connector_for(route, options, cert_manager)),
      cookie(take_secret(route.cookie, node_cookie)) {}

Target ReadyRoute::target_for(const NodeName& name) const {
  Target target(route.host.empty() ? name.host().text() : route.host, route.port);
  target.server_name = route.server_name.empty() ? name.host().text() : route.server_name;
  return target;
}

std::vector<std::shared_ptr<const ReadyRoute>> routes_to(
    const NodeName& name, const std::vector<std::shared_ptr<const ReadyRoute>>& all) {
  std::vector<std::shared_ptr<const ReadyRoute>> found;
  std::ranges::copy_if(all, std::back_inserter(found), [&](const auto& ready) {
    return matches_pattern(ready->route.pattern, name.text());
  });
  std::ranges::stable_sort(found, std::greater(),
                           [](const auto& ready) { return ready->route.weight; });
  return found;
}

std::vector<std::shared_ptr<const ReadyRoute>> make_ready(std::vector<Route> routes,
                                                          const NodeOptions& options,
                                                          const SecretBytes& node_cookie) {
  std::vector<std::shared_ptr<const ReadyRoute>> ready;
  for (Route& route : routes) {
    ready.push_back(std::make_shared<const ReadyRoute>(std::move(route), options, node_cookie));
  }
  return ready;
}

}  // namespace livetls::node
