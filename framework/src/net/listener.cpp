// One shard a server thread: its own accepting socket (SO_REUSEPORT lets the kernel spread
// connections), its own connections, its own counters. Shards share the handler, the options and
// the CertManager, and nothing that changes on the way of a handshake.

#include "livetls/net/listener.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <stdexcept>
#include <utility>

#include "livetls/async/task_group.hpp"
#include "livetls/async/timer.hpp"
#include "livetls/base/describe.hpp"
#include "livetls/base/log.hpp"
#include "net/apply_tcp_options.hpp"
#include "net/drains.hpp"
#include "net/listening_sockets.hpp"
#include "net/proxy_protocol.hpp"
#include "net/refusal_log.hpp"
#include "net/shard_counters.hpp"
#include "net/waiting_line.hpp"

namespace livetls {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kAsTuple = asio::as_tuple(use_task);

/// What all shards of a listener share, unchanged from the start.
struct Shared {
  ListenerOptions options;
  Listener::Handler handler;
  std::shared_ptr<const ServerConfig> tls;  // nullptr: plain
  std::size_t threads;
  Networks proxies;

  std::size_t share(std::size_t limit) const { return std::max<std::size_t>(1, limit / threads); }
};

void check(const ListenerOptions& options, bool has_manager, bool has_handler) {
  if (has_manager == options.plain) {
    throw std::invalid_argument(
        options.plain ? "a plain server takes no CertManager: pass nullptr"
                      : "a server needs a CertManager; say .plain = true for one without TLS");
  }
  if (!has_handler) throw std::invalid_argument("a server needs a handler");
  if (options.handshake_timeout <= Clock::duration::zero()) {
    throw std::invalid_argument("ListenerOptions.handshake_timeout must be above zero");
  }
  if (options.max_connections == 0 || options.max_pending == 0 || options.max_handshakes == 0) {
    throw std::invalid_argument("the limits of ListenerOptions must be above zero");
  }
  if (options.stalled_after < Clock::duration::zero() ||
      options.stalled_after > std::chrono::hours(24)) {
    throw std::invalid_argument("ListenerOptions.stalled_after must be from zero to a day");
  }
  if (options.accept_retry_delay < std::chrono::milliseconds(1) ||
      options.accept_retry_delay > std::chrono::hours(1)) {
    throw std::invalid_argument(
        "ListenerOptions.accept_retry_delay must be from a millisecond to an hour");
  }
  if (options.backlog <= 0) {
    throw std::invalid_argument("ListenerOptions.backlog must be above zero");
  }
  check(options.tcp);
}

/// accept(2): what is wrong with one connection, before it is accepted.
bool is_of_one_connection(error_code error) {
  static constexpr std::array kTheirs = {ECONNABORTED, EINTR,       ENETDOWN, EPROTO,
                                         ENOPROTOOPT,  EHOSTDOWN,   ENONET,   EHOSTUNREACH,
                                         EOPNOTSUPP,   ENETUNREACH, EPERM};
  return std::ranges::find(kTheirs, error.value()) != kTheirs.end();
}

bool is_shortage(error_code error) {
  return error.value() == EMFILE || error.value() == ENFILE || error.value() == ENOBUFS ||
         error.value() == ENOMEM;
}

}  // namespace

class Listener::Shard {
 public:
  Shard(std::shared_ptr<const Shared> shared, Acceptor acceptor)
      : shared_(std::move(shared)),
        acceptor_(std::move(acceptor)),
        executor_(acceptor_.get_executor()),
        tasks_(executor_),
        pause_(executor_),
        grace_(executor_),
        drains_(executor_, connections_) {}

  Executor executor() const { return executor_; }

  void add_to(ListenerCounters& sum) const {
    counters_.add_to(sum);
    sum.pending += pending_.size();
    sum.handshakes_in_flight += in_flight_.size();
  }

  void start() { tasks_.spawn(accept_loop()); }

  /// On this shard's thread.
  void drain(const DrainOrder& order) {
    stopping_ ? order.progress->end_looking() : drains_.begin(order);
  }

  void begin_stop(Clock::duration grace) {
    stopping_ = true;
    drains_.stop();
    error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    for (Connection& connection : connections_) connection.begin_stop();
    if (grace <= Clock::duration::zero()) return end_patience();
    grace_.expires_after(grace);
    grace_.async_wait([this](error_code error) {
      if (!error) end_patience();
    });
  }

  Task<void> wait() {
    co_await tasks_.wait();
    grace_.cancel();
    // What the timers may have queued before that needs this shard.
    co_await asio::post(executor_, use_task);
  }

 private:
  /// Of now, for as long as it lives.
  struct Counted {
    explicit Counted(Counter& c) : counter(c) { counter.add(); }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() { counter.add(-1); }
    Counter& counter;
  };

  /// A connection waits here for its handshake.
  struct Turn : boost::intrusive::list_base_hook<
                    boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
    Turn(Executor executor, Clock::time_point at_the_latest) : timer(executor, at_the_latest) {}
    Timer timer;
  };

  void end_patience() {
    for (Connection& connection : connections_) connection.cut();
    tasks_.cancel();
  }

  Task<void> accept_loop();
  void accepted(StreamSocket socket, bool has_room);
  Task<void> accept_failed(error_code error);
  Task<void> wait_until_one_has_stalled();
  bool is_full() const;
  Task<bool> wait_for_room();
  bool make_room();
  bool has_stalled(const WaitingLine& line) const;
  Clock::duration patience() const;

  Task<void> serve(StreamSocket socket);
  Task<bool> let_in(Connection& connection);
  Task<bool> ask_proxy(Connection& connection);
  Task<bool> handshake(Connection& connection, WaitingLine::Place& place);
  Task<void> handshake_failed(Connection& connection, error_code error);
  bool has_room_for_handshake() const;
  Task<void> wait_for_turn(Connection& connection, const WaitingLine::Place& place);
  void pass_turn();

  std::shared_ptr<const Shared> shared_;
  Acceptor acceptor_;
  Executor executor_;
  TaskGroup tasks_;
  Connections connections_;
  WaitingLine pending_;    // before their handshake
  WaitingLine in_flight_;  // handshakes, from the ClientHello on
  boost::intrusive::list<Turn, boost::intrusive::constant_time_size<false>> turns_;
  Timer pause_;  // the accept loop waits here: for room, or after an error
  Timer grace_;
  Drains drains_;
  bool stopping_ = false;
  ShardCounters counters_;
  RefusalLog refusals_;
};

Task<void> Listener::Shard::accept_loop() {
  while (!stopping_) {
    try {
      bool has_room = !is_full();
      if (!has_room) has_room = co_await wait_for_room();
      if (stopping_) co_return;
      auto [error, socket] = co_await acceptor_.async_accept(kAsTuple);
      if (stopping_) co_return;  // nobody would tell what came at the last moment
      if (!error) {
        accepted(std::move(socket), has_room);
      } else {
        co_await accept_failed(error);
      }
      continue;
    } catch (...) {
      if (stopping_) co_return;
      counters_.accept_errors.add();
      log(LogLevel::error, "accepting goes on after: " + describe(std::current_exception()));
    }
    co_await asio::post(executor_, kAsTuple);  // whatever is wrong, others get their turn
  }
}

bool Listener::Shard::is_full() const {
  const ListenerOptions& options = shared_->options;
  return counters_.open.value() >= shared_->share(options.max_connections) ||
         pending_.size() >= shared_->share(options.max_pending);
}

/// Whether there is some for a client that has come: made by one that has stalled, or by the end of
/// another.
Task<bool> Listener::Shard::wait_for_room() {
  co_await acceptor_.async_wait(Acceptor::wait_read, kAsTuple);
  while (!stopping_ && is_full() && pending_.size() + in_flight_.size() > 0) {
    if (make_room()) co_return true;
    co_await wait_until_one_has_stalled();
  }
  co_return !is_full();
}

/// Those that have come are worked on, while others wait in the kernel's queue.
Task<void> Listener::Shard::wait_until_one_has_stalled() {
  constexpr auto kNever = Clock::time_point::max();
  const auto since = std::min(pending_.longest_since().value_or(kNever),
                              in_flight_.longest_since().value_or(kNever));
  pause_.expires_at(since == kNever ? Clock::now() : since + patience());
  co_await pause_.async_wait(kAsTuple);
}

void Listener::Shard::accepted(StreamSocket socket, bool has_room) {
  counters_.accepted.add();
  if (has_room) {
    tasks_.spawn(serve(std::move(socket)));
  } else {
    counters_.over_limit.add();
  }
}

/// Errors of one connection are its own; errors of the process pass when something is freed.
Task<void> Listener::Shard::accept_failed(error_code error) {
  counters_.accept_errors.add();
  if (is_of_one_connection(error)) co_return;
  const bool waits = pending_.size() + in_flight_.size() > 0;
  if (is_shortage(error) && make_room()) {
    make_room();  // a handshake needs a descriptor, too: the packaged library opens /dev/urandom
  } else if (is_shortage(error) && waits) {
    co_await wait_until_one_has_stalled();
  } else {
    log(LogLevel::warning, "accept failed, trying again shortly: " + error.message());
    pause_.expires_after(shared_->options.accept_retry_delay);
    co_await pause_.async_wait(kAsTuple);
  }
}

/// How long a client may keep the server waiting where there is no room for others.
Clock::duration Listener::Shard::patience() const {
  const bool mostly_wait = 2 * (pending_.size() + in_flight_.size()) >= counters_.open.value();
  return shared_->options.stalled_after / (mostly_wait ? 4 : 1);
}

bool Listener::Shard::has_stalled(const WaitingLine& line) const {
  const auto since = line.longest_since();
  return since && *since + patience() <= Clock::now();
}

bool Listener::Shard::has_room_for_handshake() const {
  return in_flight_.size() < shared_->share(shared_->options.max_handshakes);
}

/// Where too many handshakes are under way, the next one's turn comes when one of them ends, or has
/// stalled and is closed.
Task<void> Listener::Shard::wait_for_turn(Connection& connection, const WaitingLine::Place& place) {
  const auto waits = [&] { return !place.evicted() && !connection.deadline().expired(); };
  while (!has_room_for_handshake() && waits()) {
    if (has_stalled(in_flight_)) {
      in_flight_.evict_longest();
      continue;
    }
    Turn turn(executor_, *in_flight_.longest_since() + patience());
    turns_.push_back(turn);
    co_await turn.timer.async_wait(kAsTuple);
  }
}

void Listener::Shard::pass_turn() {
  if (turns_.empty()) return;
  turns_.front().timer.cancel();
  turns_.pop_front();
}

/// Closes the connection that has kept the server waiting longest, if it has stalled: those that
/// say nothing must not keep others out, and where many come at once they must not push each other
/// out.
bool Listener::Shard::make_room() {
  for (WaitingLine* line : {&pending_, &in_flight_}) {
    if (!has_stalled(*line)) continue;
    line->evict_longest();
    return true;
  }
  return false;
}

Task<void> Listener::Shard::serve(StreamSocket socket) {
  const Counted open(counters_.open);
  Connection connection(std::move(socket), shared_->tls);
  connections_.push_back(connection);
  const Drains::Watch watch(drains_, connection);
  const bool accepted = co_await let_in(connection);
  if (!accepted) co_return;
  co_await shared_->handler(connection);
  co_await connection.close();
}

/// What is asked of a connection before its handler gets it.
Task<bool> Listener::Shard::let_in(Connection& connection) {
  WaitingLine::Place place(connection);
  place.enter(pending_);
  bool accepted = true;
  if (!shared_->proxies.empty()) accepted = co_await ask_proxy(connection);
  if (!accepted && !place.evicted()) counters_.no_proxy.add();
  if (accepted && shared_->tls) accepted = co_await handshake(connection, place);
  if (place.evicted()) counters_.evicted.add();
  co_return accepted && !place.evicted();
}

/// Whom the connection is for.
Task<bool> Listener::Shard::ask_proxy(Connection& connection) {
  bool told = connection.is_unix()
                  ? shared_->proxies.contains_unix()
                  : shared_->proxies.contains(connection.remote_endpoint().address());
  if (told) {
    connection.deadline().expires_after(shared_->options.handshake_timeout);
    const Result<void> read = co_await connection.read_proxy_header();
    connection.deadline().clear();
    told = read.has_value();
  }
  co_return told;
}

/// A client that says nothing costs little: the work, and what is limited with it, begins with its
/// ClientHello.
Task<bool> Listener::Shard::handshake(Connection& connection, WaitingLine::Place& place) {
  connection.deadline().expires_after(shared_->options.handshake_timeout);
  error_code error = co_await connection.receive_hello();
  if (!error) {
    if (!has_room_for_handshake()) co_await wait_for_turn(connection, place);
    if (place.evicted() || connection.deadline().expired()) {
      error = Errc::handshake_timeout;
    } else {
      place.enter(in_flight_);
      error = co_await connection.handshake();
    }
  }
  place.leave();
  pass_turn();
  pause_.cancel();
  connection.deadline().clear();
  if (place.evicted()) co_return false;
  if (error) {
    place.enter(pending_);  // a refusal that takes its time keeps nobody else out
    co_await handshake_failed(connection, error);
  } else {
    counters_.handshakes.add();
  }
  co_return !error;
}

Task<void> Listener::Shard::handshake_failed(Connection& connection, error_code error) {
  const HandshakeFailure why = handshake_failure(error);
  counters_.failure(why).add();
  if (is_client_certificate(why)) {
    refusals_.log("client certificate rejected", connection, error);
  }
  const std::string& answer = shared_->options.plain_http_answer;
  if (error == Errc::plain_http && !answer.empty()) co_await connection.refuse(answer);
  log(LogLevel::debug, "handshake failed: " + error.message());
}

Listener::Listener(Runtime& runtime, std::shared_ptr<CertManager> manager, Handler handler,
                   ListenerOptions options)
    : runtime_(runtime), manager_(manager) {
  check(options, manager != nullptr, handler != nullptr);
  std::vector<Executor> threads;
  for (std::size_t i = 0; i < runtime.threads(); ++i) threads.push_back(runtime.executor(i));
  ListeningSockets sockets = listen_on(options, threads);
  port_ = sockets.port;
  if (sockets.file) file_ = std::make_unique<SocketFile>(*std::move(sockets.file));
  std::shared_ptr<const ServerConfig> tls;
  if (manager) {
    tls = std::make_shared<const ServerConfig>(
        ServerConfig{std::move(manager), options.alpn, options.unknown_name, options.missing_name,
                     options.channel_binding});
  }
  Networks proxies(options.proxies);
  const auto shared =
      std::make_shared<const Shared>(Shared{std::move(options), std::move(handler), std::move(tls),
                                            runtime.threads(), std::move(proxies)});
  for (Acceptor& acceptor : sockets.acceptors) {
    shards_.push_back(std::make_unique<Shard>(shared, std::move(acceptor)));
  }
  runtime_.add(*this);
  if (manager_) manager_->add(*this);
  for (auto& shard : shards_) asio::post(shard->executor(), [&shard] { shard->start(); });
}

Listener::~Listener() {
  if (manager_) manager_->remove(*this);
  runtime_.stop_and_wait(*this);
  runtime_.remove(*this);
}

std::uint16_t Listener::port() const noexcept { return port_; }

ListenerCounters Listener::counters() const {
  ListenerCounters sum;
  for (const auto& shard : shards_) shard->add_to(sum);
  return sum;
}

void Listener::drain(const DrainOrder& order) {
  // What has ended keeps no connections, and nobody runs what is posted to it.
  if (runtime_.has_ended(*this)) return order.progress->end_looking();
  for (auto& shard : shards_) {
    order.progress->begin_looking();
    asio::post(shard->executor(), [&shard, order] { shard->drain(order); });
  }
  order.progress->end_looking();
}

Task<void> Listener::stop(Clock::duration grace) {
  for (auto& shard : shards_) {
    asio::post(shard->executor(), [&shard, grace] { shard->begin_stop(grace); });
  }
  for (auto& shard : shards_) {
    co_await asio::co_spawn(shard->executor(), shard->wait(), use_task);
  }
}

}  // namespace livetls
