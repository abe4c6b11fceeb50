#include "livetls/net/runtime.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "livetls/async/task_group.hpp"
#include "livetls/base/describe.hpp"
#include "livetls/base/log.hpp"

namespace livetls {

namespace asio = boost::asio;

struct Runtime::State {
  using WorkGuard = asio::executor_work_guard<Executor>;
  using SignalSet = asio::basic_signal_set<Executor>;

  explicit State(Options o) : options(o) {}

  Options options;
  std::vector<std::unique_ptr<asio::io_context>> contexts;
  std::vector<WorkGuard> work;
  std::vector<std::thread> threads;
  std::unique_ptr<TaskGroup> signal_waits;
  bool stop_requested = false;  // on the first thread

  enum class Stage { running, stopping, ended };
  struct Entry {
    Service* service;
    Stage stage;
  };

  std::mutex services_mutex;  // for what follows
  std::condition_variable services_changed;
  std::vector<Entry> services;
  bool contexts_stopped = false;

  /// Runs what is posted until there is a stop. What a handler throws is its own fault, and must
  /// not end those beside it.
  static void run(asio::io_context& context) {
    for (;;) {
      try {
        context.run();
        return;
      } catch (...) {
        log(LogLevel::error, "a posted handler failed: " + describe(std::current_exception()));
      }
    }
  }

  /// The same, for what is ready now.
  static void poll(asio::io_context& context) {
    context.restart();
    try {
      context.poll();
    } catch (...) {
      log(LogLevel::error, "a posted handler failed: " + describe(std::current_exception()));
    }
  }

  void stop_contexts() {
    {
      const std::scoped_lock lock(services_mutex);
      contexts_stopped = true;
    }
    services_changed.notify_all();
    for (auto& context : contexts) context->stop();
  }

  Entry* find(const Service& service) {
    const auto found = std::ranges::find(services, &service, &Entry::service);
    return found == services.end() ? nullptr : &*found;
  }

  Stage stage(const Service& service) {
    const std::scoped_lock lock(services_mutex);
    const Entry* entry = find(service);
    return entry ? entry->stage : Stage::ended;
  }

  /// False where the service is past `from` already, or gone.
  bool advance(Service& service, Stage from, Stage to) {
    const std::scoped_lock lock(services_mutex);
    Entry* entry = find(service);
    if (!entry || entry->stage != from) return false;
    entry->stage = to;
    services_changed.notify_all();
    return true;
  }

  /// False where the threads were stopped before the service had ended.
  bool wait_for_end(Service& service) {
    std::unique_lock lock(services_mutex);
    services_changed.wait(lock,
                          [&] { return contexts_stopped || find(service)->stage == Stage::ended; });
    return find(service)->stage == Stage::ended;
  }

  void join() {
    for (std::thread& thread : threads) thread.join();
    threads.clear();
  }

  Task<void> stop_services();
  Task<void> stop_service(Service& service, std::chrono::steady_clock::duration grace);
  Task<void> wait_for_signal(std::unique_ptr<SignalSet> signals, std::function<void()> handler);
};

Runtime::Runtime(Options options) : state_(std::make_unique<State>(options)) {
  std::size_t count = options.threads;
  if (count == 0) count = std::max(1U, std::thread::hardware_concurrency());
  for (std::size_t i = 0; i < count; ++i) {
    state_->contexts.push_back(std::make_unique<asio::io_context>(1));
    state_->work.emplace_back(state_->contexts.back()->get_executor());
  }
  state_->signal_waits = std::make_unique<TaskGroup>(executor(0));
  if (options.stop_on_signals) {
    for (const int signal : {SIGINT, SIGTERM}) on_signal(signal, [this] { stop(); });
  }
}

Runtime::~Runtime() {
  state_->stop_contexts();
  state_->join();
}

void Runtime::start() {
  if (!state_->threads.empty()) return;
  for (auto& context : state_->contexts) {
    state_->threads.emplace_back([&context] { State::run(*context); });
  }
}

void Runtime::run() {
  start();
  state_->join();
}

void Runtime::stop() {
  asio::post(executor(0), [this] {
    if (std::exchange(state_->stop_requested, true)) return state_->stop_contexts();
    asio::co_spawn(executor(0), state_->stop_services(),
                   [this](std::exception_ptr) { state_->stop_contexts(); });
  });
}

Task<void> Runtime::State::stop_services() {
  TaskGroup stopping(contexts[0]->get_executor());
  std::vector<Entry> to_stop;
  {
    const std::scoped_lock lock(services_mutex);
    to_stop = services;
  }
  for (const Entry& entry : to_stop)
    stopping.spawn(stop_service(*entry.service, options.stop_grace));
  co_await stopping.wait();
}

/// The runtime and the service's owner may both ask for it, at the same time: only one does it.
Task<void> Runtime::State::stop_service(Service& service,
                                        std::chrono::steady_clock::duration grace) {
  if (!advance(service, Stage::running, Stage::stopping)) co_return;
  co_await service.stop(grace);
  advance(service, Stage::stopping, Stage::ended);
}

void Runtime::on_signal(int signal, std::function<void()> handler) {
  // Made here, so that the signal does not end the process from now on.
  auto signals = std::make_unique<State::SignalSet>(executor(0), signal);
  state_->signal_waits->spawn(state_->wait_for_signal(std::move(signals), std::move(handler)));
}

Task<void> Runtime::State::wait_for_signal(std::unique_ptr<SignalSet> signals,
                                           std::function<void()> handler) {
  for (;;) {
    const auto [error, number] = co_await signals->async_wait(asio::as_tuple(use_task));
    if (error) co_return;
    try {
      handler();
    } catch (...) {  // keep waiting: an unhandled signal would end the process
      log(LogLevel::error, "the handler of signal " + std::to_string(number) +
                               " failed: " + describe(std::current_exception()));
    }
  }
}

std::size_t Runtime::threads() const noexcept { return state_->contexts.size(); }

Executor Runtime::executor(std::size_t thread) const {
  return state_->contexts.at(thread)->get_executor();
}

void Runtime::add(Service& service) {
  const std::scoped_lock lock(state_->services_mutex);
  state_->services.push_back({&service, State::Stage::running});
}

void Runtime::remove(Service& service) {
  const std::scoped_lock lock(state_->services_mutex);
  std::erase_if(state_->services,
                [&](const State::Entry& entry) { return entry.service == &service; });
}

bool Runtime::has_ended(const Service& service) const {
  return state_->stage(service) == State::Stage::ended;
}

void Runtime::stop_and_wait(Service& service) {
  if (has_ended(service)) return;
  if (!state_->threads.empty()) {
    asio::co_spawn(executor(0), state_->stop_service(service, state_->options.stop_grace),
                   asio::detached);
    if (state_->wait_for_end(service)) return;
    state_->join();
  }

  // No thread runs what the service left behind, so this one does, and a stop that is under way
  // with it.
  bool ended = false;
  asio::co_spawn(executor(0), service.stop({}), [&ended](std::exception_ptr) { ended = true; });
  while (!ended || state_->stage(service) == State::Stage::stopping) {
    for (auto& context : state_->contexts) State::poll(*context);
  }
}

}  // namespace livetls
