#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "livetls/base/secret_bytes.hpp"
#include "livetls/net/connector.hpp"
#include "livetls/node/node.hpp"

namespace livetls::node {

/// Whether a text is what a pattern says, in which '*' stands for any text.
bool matches_pattern(std::string_view pattern, std::string_view text) noexcept;

/// A route, and what connections are made with on it.
struct ReadyRoute {
  Route route;
  std::shared_ptr<CertManager> cert_manager;  // whose certificate is shown; nullptr: plain
  std::shared_ptr<Connector> connector;
  SecretBytes cookie;

  /// Throws std::invalid_argument for a route that cannot be.
  ReadyRoute(Route wanted, const NodeOptions& options, const SecretBytes& node_cookie);

  Target target_for(const NodeName& name) const;
};

/// Those that lead to a node, the first to be tried first.
std::vector<std::shared_ptr<const ReadyRoute>> routes_to(
    const NodeName& name, const std::vector<std::shared_ptr<const ReadyRoute>>& all);

/// Throws std::invalid_argument.
std::vector<std::shared_ptr<const ReadyRoute>> make_ready(std::vector<Route> routes,
                                                          const NodeOptions& options,
                                                          const SecretBytes& node_cookie);

}  // namespace livetls::node
