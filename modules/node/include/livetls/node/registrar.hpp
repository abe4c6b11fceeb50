#pragma once

#include <string>
#include <vector>

#include "livetls/async/task.hpp"
#include "livetls/base/result.hpp"
#include "livetls/node/node_name.hpp"
#include "livetls/node/route.hpp"

namespace livetls::node {

/// Knows where nodes are, such as etcd does.
///
/// Thread safety: called on any of the runtime's threads, also at the same time. Lifetime: must
/// outlive the nodes that have it.
class Registrar {
 public:
  virtual ~Registrar() = default;

  /// Where a node is that no static route leads to; their patterns are not looked at. Empty: it is
  /// not known. An error is told to who wanted the link.
  virtual Task<Result<std::vector<Route>>> resolve(NodeName name) = 0;

  /// Called once when a node runs, with the ports of its acceptors, and when it stops.
  virtual Task<void> came(NodeName name, std::vector<std::uint16_t> ports) = 0;
  virtual Task<void> went(NodeName name) = 0;
};

}  // namespace livetls::node
