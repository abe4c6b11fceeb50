#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "links.hpp"
#include "livetls/async/task_group.hpp"
#include "livetls/base/secret_bytes.hpp"
#include "livetls/net/runtime.hpp"
#include "livetls/node/node.hpp"
#include "routes.hpp"

namespace livetls::node {

/// A cookie in memory that is wiped; the text is wiped now. `otherwise` where it is empty.
SecretBytes take_secret(std::string& text, const SecretBytes& otherwise = {});

struct Counters {
  std::atomic<std::uint64_t> accepted = 0;
  std::atomic<std::uint64_t> dialled = 0;
  std::atomic<std::uint64_t> refused = 0;
  std::atomic<std::uint64_t> failed_calls = 0;
  std::atomic<std::uint64_t> links_lost = 0;
  std::atomic<std::uint64_t> messages_sent = 0;
  std::atomic<std::uint64_t> messages_received = 0;
  std::atomic<std::uint64_t> unknown_services = 0;
  std::atomic<std::uint64_t> failed_handlers = 0;
};

/// What all parts of a node share. Outlives every task of it.
struct Core {
  Core(Runtime& on, NodeName called, NodeOptions with);

  /// The group that owns what runs on a thread of the runtime; to be used there.
  TaskGroup& tasks_on(const Executor& executor);

  Runtime& runtime;
  const NodeName name;
  const SecretBytes cookie;
  const std::vector<SecretBytes> acceptor_cookies;
  const std::vector<std::shared_ptr<const ReadyRoute>> routes;
  const std::uint64_t incarnation;
  const NodeOptions options;                      // without cookies and routes
  std::vector<std::unique_ptr<TaskGroup>> tasks;  // by thread
  Links links;
  Counters counters;
  std::atomic<bool> stopping = false;
};

}  // namespace livetls::node
