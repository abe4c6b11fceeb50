#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "livetls/net/runtime.hpp"
#include "livetls/node/error.hpp"
#include "livetls/node/message.hpp"
#include "livetls/node/registrar.hpp"
#include "livetls/node/route.hpp"
#include "livetls/rotation/cert_manager.hpp"

namespace livetls::node {

/// Where a node is called.
struct Acceptor {
  std::string address = "::";  ///< as in ListenerOptions
  std::uint16_t port = 0;      ///< 0: one that the kernel chooses

  /// So many ports from `port` on are tried, until one is free. 1: only this.
  std::uint16_t port_range = 1;

  /// What is served here instead of the node's certificates.
  std::shared_ptr<CertManager> cert_manager = {};

  /// What those who call here must know instead of the node's cookie.
  std::string cookie = {};

  /// Without TLS.
  bool plain = false;

  /// For TLS's handshake, and again for each message of the node's.
  std::chrono::steady_clock::duration handshake_timeout = std::chrono::seconds(5);

  /// Of each kind, TLS's and the node's; more wait, or are refused.
  std::size_t max_handshakes = 100;

  std::size_t max_connections = 10'000;
};

/// A link that has come, or gone. One that ends in order may be told of behind the one that takes
/// its place: a peer is linked while more have come than gone.
struct LinkEvent {
  bool is_up = false;
  std::string peer;
  Error reason = {};  ///< of a link that is down; none where it was ended in order
};

/// How a node works. Durations must be above zero.
struct NodeOptions {
  /// What acceptors serve and what is shown to other nodes. Its default identity should be of
  /// ClientAuth::require_and_verify: its client_roots are whom nodes believe, both ways.
  std::shared_ptr<CertManager> cert_manager = {};

  std::vector<Acceptor> acceptors = {};
  std::vector<Route> routes = {};

  /// Asked where no route matches. nullptr: nobody.
  Registrar* registrar = nullptr;

  /// What all nodes know that may link to each other. Must not be empty.
  std::string cookie = {};

  /// What this node does for others.
  Services services = {};

  /// Accepts any certificate, of nodes that call and that are called; logged each time.
  bool insecure_skip_verify = false;

  /// Whether a certificate must also be for the host in its node's name, of nodes that call. (The
  /// certificate of one that is called always is for the name it is verified for.)
  bool verify_peer_host = true;

  std::size_t max_message_bytes = 1024 * 1024;

  /// What may wait to be sent on a connection; who sends more waits. While as much of replies and
  /// events waits besides, since the peer does not read them, no request of it is begun.
  std::size_t max_queued_bytes = 4 * 1024 * 1024;

  /// What is idle says that it is alive so often; a link of which nothing came for three times as
  /// long is down.
  std::chrono::steady_clock::duration heartbeat = std::chrono::seconds(5);

  /// From the first attempt to call a node again to the next; doubled each time, up to the second,
  /// and by chance up to half of it shorter.
  std::chrono::steady_clock::duration reconnect_min = std::chrono::milliseconds(100);
  std::chrono::steady_clock::duration reconnect_max = std::chrono::seconds(10);

  std::chrono::steady_clock::duration connect_timeout = std::chrono::seconds(5);

  /// Called for every link that comes and goes, on any thread. What it throws is logged.
  std::function<void(const LinkEvent&)> on_link = {};
};

struct SendOptions {
  /// What is sent in one stream arrives in order. Streams take turns, and different ones may take
  /// different connections of a link.
  std::uint32_t stream = 0;

  /// For everything together: the link, room in its queue, the reply.
  std::chrono::steady_clock::duration timeout = std::chrono::seconds(10);
};

/// What has happened at a node since it was made; links, of now.
struct NodeCounters {
  std::uint64_t links = 0;
  std::uint64_t accepted = 0;  ///< connections of links, by handshakes that succeeded
  std::uint64_t dialled = 0;
  std::uint64_t refused = 0;        ///< handshakes of nodes that called, behind TLS's
  std::uint64_t failed_calls = 0;   ///< attempts to make a link
  std::uint64_t links_lost = 0;     ///< not ended in order
  std::uint64_t messages_sent = 0;  ///< requests and subscriptions with them
  std::uint64_t messages_received = 0;
  std::uint64_t unknown_services = 0;
  std::uint64_t failed_handlers = 0;  ///< they threw
};

/// Events of a service at another node.
///
/// Thread safety: none. Lifetime: it may outlive the node, and says link_down then.
class Subscription {
 public:
  struct State;
  explicit Subscription(std::shared_ptr<State> state);
  Subscription(Subscription&&) noexcept = default;
  Subscription& operator=(Subscription&&) noexcept = default;
  ~Subscription();  ///< tells the other node that nobody waits any more

  /// The next event, or nothing where they have ended. Errors: link_down, unknown_service,
  /// handler_failed.
  Task<Result<std::optional<Payload>>> next();

 private:
  std::shared_ptr<State> state_;
};

/// A program that others know by name, and that sends messages to others:
///
///     node::Node node(runtime, "orders@host1.example",
///                     {.cert_manager = manager, .acceptors = {{.port = 7001}},
///                      .routes = {{.pattern = "*@host2.example", .port = 7001}},
///                      .cookie = read_cookie(),
///                      .services = {.requests = {{"total", total}}}});
///     ...
///     auto total = co_await node.request("stock@host2.example", "count", "apples");
///
/// Nodes link to each other over mutual TLS when something is first sent, and stay linked: a link
/// that is lost is made again. What is sent arrives at most once; a message that was taken while a
/// link was lost may have been lost with it.
///
/// Thread safety: send, request, subscribe, links and counters from any thread of the runtime; they
/// complete on the executor of who waits. Lifetime: the runtime must outlive the node. The
/// destructor, or a stop of the runtime, tells the peers, lets what is in hand finish, and waits.
class Node {
 public:
  /// Throws std::invalid_argument for a name or options that cannot be, and
  /// boost::system::system_error where an address cannot be listened on.
  Node(Runtime& runtime, std::string_view name, NodeOptions options);
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  ~Node();

  /// Sends a message: queued on the link when it completes. Errors: no_route, timed_out, what keeps
  /// the link from being made, message_too_large, link_down.
  Task<Result<void>> send(std::string to, std::string service, Payload payload,
                          SendOptions options = {});

  /// Asks, and waits for the reply. Errors: those of `send`; unknown_service and handler_failed,
  /// with what the other node says in their context.
  Task<Result<Payload>> request(std::string to, std::string service, Payload payload,
                                SendOptions options = {});

  /// Asks for events. Errors: those of `send`; further ones come with the first event.
  Task<Result<Subscription>> subscribe(std::string to, std::string service, Payload payload,
                                       SendOptions options = {});

  /// Of the acceptors, in their order.
  std::vector<std::uint16_t> ports() const;

  /// Whom it is linked to.
  std::vector<Peer> peers() const;

  NodeCounters counters() const;

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

}  // namespace livetls::node
