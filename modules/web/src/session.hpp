#pragma once

#include <memory>
#include <utility>

#include "livetls/net/connection.hpp"
#include "livetls/web/router.hpp"
#include "livetls/web/server.hpp"
#include "request_counts.hpp"

namespace livetls::web {

/// What all connections of a server share, unchanged from the start but for the counts.
struct Site {
  Site(Router r, ServerOptions o, std::shared_ptr<const CertManager> m)
      : router(std::move(r)), options(std::move(o)), manager(std::move(m)) {}

  Router router;
  ServerOptions options;
  std::shared_ptr<const CertManager> manager;  // nullptr: plain
  mutable RequestCounts counts;
};

/// Answers the requests of one connection until it ends.
Task<void> serve(Connection& connection, std::shared_ptr<const Site> site);

}  // namespace livetls::web
