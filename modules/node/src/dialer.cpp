#include "dialer.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <random>
#include <utility>

#include "connection_loop.hpp"
#include "greeting.hpp"
#include "livetls/async/race.hpp"
#include "livetls/async/timer.hpp"
#include "livetls/base/describe.hpp"
#include "livetls/base/log.hpp"
#include "livetls/base/random_bytes.hpp"

namespace livetls::node {

namespace asio = boost::asio;

namespace {

/// Whether calling again may do better soon: nobody answers, or the other node calls us. Who shows
/// the wrong certificate or cookie will do so again.
bool may_pass(const Error& error) {
  if (error.code.category() == node_category()) {
    return error.code == NodeErrc::dialled_both_ways || error.code == NodeErrc::link_down ||
           error.code == NodeErrc::too_many_connections;
  }
  if (error.code.category() == livetls_category()) {
    return error == Errc::handshake_timeout || error == Errc::stream_truncated;
  }
  return true;
}

/// A link's connection that was made here, until it ends.
Task<void> own(std::shared_ptr<Core> core, OpenLane opened, std::unique_ptr<Connection> connection,
               std::unique_ptr<tcp::MessageStream> messages) {
  co_await run_connection(core, std::move(opened), *connection, *messages);
  co_await connection->close();
}

}  // namespace

std::chrono::steady_clock::duration reconnect_pause(const NodeOptions& options, std::size_t attempt,
                                                    std::uint8_t chance) {
  auto longest = std::min(options.reconnect_min, options.reconnect_max);
  for (; attempt > 0 && longest < options.reconnect_max; --attempt) {
    longest = std::min(longest * 2, options.reconnect_max);
  }
  return longest - longest / 2 * chance / 255;
}

Dialer::Dialer(std::shared_ptr<Core> core) : core_(std::move(core)) {
  for (std::size_t i = 0; i < core_->runtime.threads(); ++i) {
    const Executor executor = core_->runtime.executor(i);
    calls_on_.push_back(std::make_unique<TaskGroup>(executor));
    stopped_on_.push_back(std::make_unique<Timer>(executor, Clock::time_point::max()));
  }
}

void Dialer::cancel_on(std::size_t thread) {
  calls_on_[thread]->cancel();
  stopped_on_[thread]->cancel();
}

Task<void> Dialer::wait_on(std::size_t thread) { return calls_on_[thread]->wait(); }

// ---- Who waits for a link ----------------------------------------------------------------------

Task<Result<std::shared_ptr<Link>>> Dialer::link_to(std::string to, Clock::time_point until) {
  const auto name = NodeName::parse(to);
  if (!name) co_return name.error();
  if (*name == core_->name) co_return Error(NodeErrc::no_route, "this is the node itself");
  if (auto link = core_->links.find(name->text())) co_return link;
  {
    const std::scoped_lock lock(mutex_);
    ++calls_[*name].waiting;
  }
  struct Waiting {
    ~Waiting() {
      const std::scoped_lock lock(dialer.mutex_);
      --dialer.calls_[name].waiting;
    }
    Dialer& dialer;
    const NodeName& name;
  } waiting{*this, *name};
  co_return co_await wait_for(*name, until);
}

Task<Result<std::shared_ptr<Link>>> Dialer::wait_for(const NodeName& name,
                                                     Clock::time_point until) {
  const std::uint64_t given_up = times_given_up(name);
  const auto is_settled = [this, &name, given_up] {
    return core_->stopping || core_->links.find(name.text()) || times_given_up(name) != given_up;
  };
  while (true) {
    begin(name);
    const auto [error] = co_await core_->links.changed()->async_wait(
        is_settled, until - Clock::now(), asio::as_tuple(use_task));
    if (auto link = core_->links.find(name.text())) co_return link;
    if (core_->stopping) co_return Error(NodeErrc::link_down, "this node is stopping");
    const std::scoped_lock lock(mutex_);
    const Call& call = calls_[name];
    if (call.given_up != given_up) co_return call.last_error;
    if (!error) continue;  // there was one, and it has gone
    const std::string reason = call.last_error.code ? ": " + call.last_error.message() : "";
    co_return Error(error, "no link to " + name.text() + reason);
  }
}

std::uint64_t Dialer::times_given_up(const NodeName& name) {
  const std::scoped_lock lock(mutex_);
  return calls_[name].given_up;
}

/// Sees to it that the node is being called.
void Dialer::begin(const NodeName& name) {
  std::size_t thread = 0;
  {
    const std::scoped_lock lock(mutex_);
    Call& call = calls_[name];
    if (std::exchange(call.running, true)) return;
    call.last_error = {};
    thread = next_thread_++ % core_->runtime.threads();
  }
  asio::post(core_->runtime.executor(thread), [self = shared_from_this(), thread, name] {
    if (!self->core_->stopping) self->calls_on_[thread]->spawn(self->keep_linked(name));
  });
}

// ---- Calling -----------------------------------------------------------------------------------

Task<void> Dialer::keep_linked(NodeName name) {
  const auto self = shared_from_this();
  bool was_linked = false;
  for (std::size_t attempt = 0; !core_->stopping;) {
    const Result<void> called = co_await call(name);
    if (called || core_->links.is_linked(name.text())) {
      was_linked = true;
      attempt = 0;
      const auto is_over = [this, &name] {
        return core_->stopping || !core_->links.is_linked(name.text());
      };
      co_await core_->links.changed()->async_wait(is_over, Waiters::kForever, use_task);
      continue;
    }
    ++core_->counters.failed_calls;
    log(LogLevel::debug, "calling " + name.text() + ": " + called.error().message());
    const bool goes_on = goes_on_after(name, called.error(), was_linked);
    core_->links.changed()->check();
    if (!goes_on) co_return;
    co_await pause(attempt++);
  }
}

bool Dialer::goes_on_after(const NodeName& name, const Error& error, bool was_linked) {
  const std::scoped_lock lock(mutex_);
  Call& call = calls_[name];
  call.last_error = error;
  if (may_pass(error) && (was_linked || call.waiting > 0)) return true;
  if (!may_pass(error)) {
    ++call.given_up;
    if (was_linked) return true;  // whoever waits is told; the peer may be mended one day
  }
  call.running = false;
  return false;
}

Task<void> Dialer::pause(std::size_t attempt) {
  std::array<std::uint8_t, 1> chance;
  random_bytes(chance);
  const auto pause = reconnect_pause(core_->options, attempt, chance[0]);
  const auto is_over = [this] { return core_->stopping.load(); };
  co_await core_->links.changed()->async_wait(is_over, pause, asio::as_tuple(use_task));
}

Task<Result<std::vector<Dialer::RoutePtr>>> Dialer::find_routes(const NodeName& name) {
  auto found = routes_to(name, core_->routes);
  if (found.empty() && core_->options.registrar != nullptr) {
    auto told = co_await core_->options.registrar->resolve(name);
    if (!told) co_return told.error();
    found = make_ready(std::move(*told), core_->options, core_->cookie);
  }
  if (found.empty()) co_return Error(NodeErrc::no_route, name.text());
  co_return found;
}

Task<Result<void>> Dialer::call(const NodeName& name) {
  const auto routes = co_await find_routes(name);
  if (!routes) co_return routes.error();
  Result<void> called;
  for (const RoutePtr& route : *routes) {
    called = co_await call_on(route, name);
    if (called || called.error().code == NodeErrc::dialled_both_ways) break;
  }
  co_return called;
}

/// All connections of a link.
Task<Result<void>> Dialer::call_on(RoutePtr route, NodeName name) {
  struct Calling {
    ~Calling() {
      if (link && !link_is_whole) link->fail(Error(NodeErrc::link_down, "a call was given up"));
      links.end_call(name);
    }
    Links& links;
    const std::string& name;
    std::shared_ptr<Link> link = {};
    bool link_is_whole = false;
  } calling{core_->links, name.text()};
  const std::uint64_t generation = route->cert_manager ? route->cert_manager->generation() : 0;
  Hello hello = make_hello(*core_, generation);
  random_bytes(hello.link);
  hello.connections = static_cast<std::uint8_t>(route->route.connections);
  for (; hello.connection < hello.connections; ++hello.connection) {
    random_bytes(hello.nonce);
    std::size_t thread = 0;
    {
      const std::scoped_lock lock(mutex_);
      thread = next_thread_++ % core_->runtime.threads();
    }
    // A connection belongs to the thread that makes it. No cancellation passes from thread to
    // thread: Asio's may come when what it is for has just ended.
    const auto made = co_await asio::co_spawn(
        core_->runtime.executor(thread), connect_on(thread, route, name, hello, calling.link),
        asio::bind_cancellation_slot(asio::cancellation_slot(), use_task));
    if (!made) {
      if (calling.link) calling.link->fail(made.error());
      co_return made;
    }
  }
  calling.link_is_whole = true;
  co_return Result<void>();
}

Task<Result<void>> Dialer::connect_on(std::size_t thread, const RoutePtr& route,
                                      const NodeName& name, const Hello& hello,
                                      std::shared_ptr<Link>& link) {
  if (core_->stopping) co_return Error(asio::error::operation_aborted);
  Result<void> made = Error(asio::error::operation_aborted);
  const auto attempt = [&]() -> Task<void> {
    try {
      made = co_await connect(route, name, hello, link);
    } catch (...) {
      made = Error(NodeErrc::link_down, describe(std::current_exception()));
    }
  };
  const auto stop = [&]() -> Task<void> {
    co_await stopped_on_[thread]->async_wait(asio::as_tuple(use_task));
  };
  Task<void> attempted = attempt();
  Task<void> stopped = stop();
  co_await first_of(std::move(attempted), std::move(stopped));
  co_return made;
}

/// One connection, of a new link where there is none yet.
Task<Result<void>> Dialer::connect(RoutePtr route, NodeName name, Hello hello,
                                   std::shared_ptr<Link>& link) {
  auto connected = co_await route->connector->connect(route->target_for(name));
  if (!connected) co_return connected.error();
  std::unique_ptr<Connection> connection = std::move(*connected);
  auto messages = std::make_unique<tcp::MessageStream>(
      *connection, handshake_framing(), handshake_limits(core_->options.connect_timeout));
  const Line line{*messages, *connection, route->cookie, route->route.plain,
                  route->route.insecure_skip_verify || core_->options.insecure_skip_verify};
  const auto theirs = co_await greet_as_dialler(core_, line, hello, name);
  if (!theirs) co_return theirs.error();
  if (!link) {
    link = std::make_shared<Link>(core_, peer_on(line, name, *theirs, hello.generation), *theirs,
                                  hello.link, hello.connections);
  }
  auto opened = link->add(hello.connection, *connection);
  if (!opened) co_return opened.error();
  ++core_->counters.dialled;
  TaskGroup& tasks = core_->tasks_on(connection->get_executor());
  tasks.spawn(own(core_, std::move(*opened), std::move(connection), std::move(messages)));
  co_return Result<void>();
}

}  // namespace livetls::node
