#include "livetls/node/node.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <stdexcept>
#include <utility>

#include "connection_loop.hpp"
#include "dialer.hpp"
#include "greeting.hpp"
#include "livetls/async/timer.hpp"
#include "livetls/base/log.hpp"
#include "livetls/net/listener.hpp"

namespace livetls::node {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

namespace {

void require(bool holds, const std::string& what) {
  if (!holds) throw std::invalid_argument(what);
}

void check(const NodeOptions& options) {
  const auto none = Clock::duration::zero();
  require(!options.cookie.empty(), "a node needs a cookie");
  require(options.heartbeat > none && options.reconnect_min > none &&
              options.reconnect_max > none && options.connect_timeout > none,
          "the durations of NodeOptions must be above zero");
  require(options.max_message_bytes > 0 && options.max_message_bytes <= 1 << 30,
          "NodeOptions.max_message_bytes must be above zero, and 1 GiB at most");
  require(options.max_queued_bytes > 0, "NodeOptions.max_queued_bytes must be above zero");
}

void check(const Acceptor& acceptor, const NodeOptions& options) {
  require(acceptor.plain || acceptor.cert_manager || options.cert_manager,
          "an acceptor needs a CertManager; say .plain = true for one without TLS");
  require(!acceptor.plain || !acceptor.cert_manager, "a plain acceptor takes no CertManager");
  require(acceptor.port_range > 0, "Acceptor.port_range must be above zero");
}

}  // namespace

/// The acceptors, and the node as a service of its runtime.
class Node::Body final : public Service {
 public:
  Body(Runtime& runtime, NodeName name, NodeOptions options)
      : runtime_(runtime),
        core_(std::make_shared<Core>(runtime, std::move(name), std::move(options))),
        dialer_(std::make_shared<Dialer>(core_)) {
    for (std::size_t i = 0; i < core_->options.acceptors.size(); ++i) listen(i);
    runtime_.add(*this);
    if (core_->options.registrar != nullptr) {
      spawn_on_first([this] { return core_->options.registrar->came(core_->name, ports()); });
    }
  }

  ~Body() override {
    core_->stopping = true;
    listeners_.clear();
    runtime_.stop_and_wait(*this);
    runtime_.remove(*this);
  }

  Core& core() { return *core_; }

  std::vector<std::uint16_t> ports() const {
    std::vector<std::uint16_t> ports;
    for (const auto& listener : listeners_) ports.push_back(listener->port());
    return ports;
  }

  Task<void> stop(Clock::duration grace) override;

  /// Queues a frame on a link to a node, when there is one that has room. `prepare` is called for
  /// each link that is tried, and answers 0 where it takes nothing new; else the frame's id, which
  /// `undo` is told where it came to nothing.
  using Prepare = std::function<std::uint64_t(Link&)>;
  using Undo = std::function<void(Link&, std::uint64_t)>;
  Task<Result<std::shared_ptr<Link>>> place(const std::string& to, Frame frame,
                                            Clock::time_point until, const Prepare& prepare,
                                            const Undo& undo);

 private:
  void listen(std::size_t number);
  Task<void> serve_counted(Connection& connection, std::size_t number);
  Task<void> serve(Connection& connection, std::size_t number);

  void spawn_on_first(std::function<Task<void>()> task) {
    asio::post(runtime_.executor(0),
               [core = core_, task = std::move(task)] { core->tasks[0]->spawn(task()); });
  }

  Runtime& runtime_;
  const std::shared_ptr<Core> core_;
  const std::shared_ptr<Dialer> dialer_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::atomic<std::size_t> handshakes_ = 0;
  std::atomic<std::size_t> serving_ = 0;  // accepted connections
  const std::shared_ptr<Waiters> served_ = std::make_shared<Waiters>();
};

// ---- Being called ------------------------------------------------------------------------------

void Node::Body::listen(std::size_t number) {
  const Acceptor& acceptor = core_->options.acceptors[number];
  check(acceptor, core_->options);
  auto manager = acceptor.cert_manager ? acceptor.cert_manager : core_->options.cert_manager;
  if (acceptor.plain) manager = nullptr;
  for (std::uint16_t tried = 0;; ++tried) {
    try {
      listeners_.push_back(std::make_unique<Listener>(
          runtime_, manager,
          [this, number](Connection& connection) { return serve_counted(connection, number); },
          ListenerOptions{.address = acceptor.address,
                          .port = static_cast<std::uint16_t>(acceptor.port + tried),
                          .plain = acceptor.plain,
                          .channel_binding = true,
                          .handshake_timeout = acceptor.handshake_timeout,
                          .max_connections = acceptor.max_connections,
                          .max_handshakes = acceptor.max_handshakes}));
      return;
    } catch (const boost::system::system_error& error) {
      const bool is_last = tried + 1 == acceptor.port_range || acceptor.port + tried == 65535;
      if (error.code() != asio::error::address_in_use || is_last) throw;
    }
  }
}

Task<void> Node::Body::serve_counted(Connection& connection, std::size_t number) {
  struct Serving {
    explicit Serving(Body& b) : body(b) { ++body.serving_; }
    ~Serving() {
      const auto served = body.served_;  // with the last one, the body may go
      if (--body.serving_ == 0) served->check();
    }
    Body& body;
  } serving(*this);
  co_await serve(connection, number);
}

Task<void> Node::Body::serve(Connection& connection, std::size_t number) {
  const Acceptor& acceptor = core_->options.acceptors[number];
  struct InFlight {
    explicit InFlight(std::atomic<std::size_t>& c) : count(c) { ++count; }
    ~InFlight() { end(); }
    void end() {
      if (!std::exchange(ended, true)) --count;
    }
    std::atomic<std::size_t>& count;
    bool ended = false;
  } in_flight(handshakes_);
  if (handshakes_ > acceptor.max_handshakes) {
    ++core_->counters.refused;
    co_return;
  }
  tcp::MessageStream messages(connection, handshake_framing(),
                              handshake_limits(acceptor.handshake_timeout));
  const Line line{messages, connection, core_->acceptor_cookies[number], acceptor.plain,
                  core_->options.insecure_skip_verify};
  auto joined = co_await greet_as_acceptor(core_, line, connection.generation());
  in_flight.end();
  if (!joined) {
    ++core_->counters.refused;
    log(LogLevel::warning, "a node was refused that called: " + joined.error().message());
    co_return;
  }
  ++core_->counters.accepted;
  if (line.skip_verify && !line.connection.peer_is_verified()) {
    log(LogLevel::warning, joined->link()->peer().name.text() +
                               " is linked without being verified (insecure_skip_verify)");
  }
  co_await run_connection(core_, std::move(*joined), connection, messages);
}

// ---- The end -----------------------------------------------------------------------------------

Task<void> Node::Body::stop(Clock::duration grace) {
  core_->stopping = true;
  core_->links.changed()->check();
  if (core_->options.registrar != nullptr) {
    core_->tasks[0]->spawn(core_->options.registrar->went(core_->name));
  }
  for (const auto& link : core_->links.all()) link->leave();
  const auto on_each_thread = [this](auto what) {
    for (std::size_t i = 0; i < runtime_.threads(); ++i) {
      asio::post(runtime_.executor(i), [what, i] { what(i); });
    }
  };
  on_each_thread([dialer = dialer_](std::size_t i) { dialer->cancel_on(i); });
  const auto end_tasks = [core = core_](std::size_t i) { core->tasks[i]->cancel(); };
  Timer patience(runtime_.executor(0));
  patience.expires_after(grace);
  patience.async_wait([&on_each_thread, &end_tasks](boost::system::error_code error) {
    if (!error) on_each_thread(end_tasks);
  });
  // What may spawn tasks, first: calls, on any thread, and accepted connections, which their
  // listeners end.
  for (std::size_t i = 0; i < runtime_.threads(); ++i) {
    co_await asio::co_spawn(runtime_.executor(i), dialer_->wait_on(i), use_task);
  }
  const auto none_is_served = [this] { return serving_ == 0; };
  co_await served_->async_wait(none_is_served, Waiters::kForever, use_task);
  for (std::size_t i = 0; i < runtime_.threads(); ++i) {
    co_await asio::co_spawn(runtime_.executor(i), core_->tasks[i]->wait(), use_task);
  }
  patience.cancel();
  co_await asio::post(runtime_.executor(0), use_task);  // what the timer may have queued
}

// ---- Sending -----------------------------------------------------------------------------------

Task<Result<std::shared_ptr<Link>>> Node::Body::place(const std::string& to, Frame frame,
                                                      Clock::time_point until,
                                                      const Prepare& prepare, const Undo& undo) {
  if (frame.service.size() > kMaxServiceBytes) {
    co_return Error(NodeErrc::message_too_large, "a service's name has 255 bytes at most");
  }
  while (true) {
    Result<std::shared_ptr<Link>> link = core_->links.find(to);
    if (!*link) link = co_await dialer_->link_to(to, until);
    if (!link) co_return link.error();
    if (frame.payload.size() > (*link)->max_payload()) {
      co_return Error(NodeErrc::message_too_large, std::to_string(frame.payload.size()) + " bytes");
    }
    frame.id = prepare(**link);
    if (frame.id == 0) continue;  // it has just ended
    const std::uint64_t id = frame.id;
    const Link::Sent sent = (*link)->put(frame);
    if (sent.put == Outbox::Put::done) co_return *link;
    undo(**link, id);
    if (sent.put == Outbox::Put::closed) continue;
    const auto waited = co_await (*link)->wait_for_room(sent.lane, cost(frame), until);
    if (waited) co_return Error(waited, "no room in the queue to " + to);
  }
}

namespace {

Frame new_frame(FrameKind kind, std::string service, Payload payload, const SendOptions& options) {
  return {.kind = kind,
          .is_json = payload.is_json(),
          .stream = options.stream,
          .service = std::move(service),
          .payload = std::move(payload).bytes()};
}

}  // namespace

Task<Result<void>> Node::send(std::string to, std::string service, Payload payload,
                              SendOptions options) {
  Frame frame = new_frame(FrameKind::message, std::move(service), std::move(payload), options);
  const Body::Prepare prepare = [](Link&) { return std::uint64_t{1}; };
  const Body::Undo undo = [](Link&, std::uint64_t) {};
  const auto link =
      co_await body_->place(to, std::move(frame), Clock::now() + options.timeout, prepare, undo);
  if (!link) co_return link.error();
  co_return Result<void>();
}

Task<Result<Payload>> Node::request(std::string to, std::string service, Payload payload,
                                    SendOptions options) {
  const auto until = Clock::now() + options.timeout;
  Frame frame = new_frame(FrameKind::request, std::move(service), std::move(payload), options);
  std::shared_ptr<PendingReply> reply;
  std::uint64_t id = 0;
  const Body::Prepare prepare = [&](Link& link) {
    reply = std::make_shared<PendingReply>();
    id = link.expect_reply(reply);
    return id;
  };
  const Body::Undo undo = [](Link& link, std::uint64_t undone) { link.forget_reply(undone); };
  const auto link = co_await body_->place(to, std::move(frame), until, prepare, undo);
  if (!link) co_return link.error();
  auto answer = co_await reply->wait(until);
  (*link)->forget_reply(id);
  co_return answer;
}

Task<Result<Subscription>> Node::subscribe(std::string to, std::string service, Payload payload,
                                           SendOptions options) {
  Frame frame = new_frame(FrameKind::subscribe, std::move(service), std::move(payload), options);
  std::shared_ptr<Subscription::State> state;
  const Body::Prepare prepare = [&](Link& link) {
    state = link.expect_events(options.stream);
    return state ? state->id : std::uint64_t{0};
  };
  const Body::Undo undo = [](Link& link, std::uint64_t undone) { link.forget_events(undone); };
  const auto link =
      co_await body_->place(to, std::move(frame), Clock::now() + options.timeout, prepare, undo);
  if (!link) co_return link.error();
  co_return Subscription(std::move(state));
}

// ---- The public face ---------------------------------------------------------------------------

Node::Node(Runtime& runtime, std::string_view name, NodeOptions options) {
  check(options);
  const auto parsed = NodeName::parse(name);
  require(parsed.has_value(), "a node's name is name@host");
  body_ = std::make_unique<Body>(runtime, *parsed, std::move(options));
}

Node::~Node() = default;

std::vector<std::uint16_t> Node::ports() const { return body_->ports(); }

std::vector<Peer> Node::peers() const {
  std::vector<Peer> peers;
  for (const auto& link : body_->core().links.all()) peers.push_back(link->peer());
  return peers;
}

NodeCounters Node::counters() const {
  const Counters& counters = body_->core().counters;
  return {.links = body_->core().links.all().size(),
          .accepted = counters.accepted,
          .dialled = counters.dialled,
          .refused = counters.refused,
          .failed_calls = counters.failed_calls,
          .links_lost = counters.links_lost,
          .messages_sent = counters.messages_sent,
          .messages_received = counters.messages_received,
          .unknown_services = counters.unknown_services,
          .failed_handlers = counters.failed_handlers};
}

}  // namespace livetls::node
