#include "livetls/net/runtime.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "livetls/base/log.hpp"
#include "livetls/base/task_group.hpp"

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

  std::mutex services_mutex;
  std::vector<Service*> services;

  void stop_contexts() {
    for (auto& context : contexts) context->stop();
  }

  void join() {
    for (std::thread& thread : threads) thread.join();
    threads.clear();
  }

  Task<void> stop_services();
  Task<void> wait_for_signal(int signal, std::function<void()> handler);
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
    state_->threads.emplace_back([&context] { context->run(); });
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
  {
    const std::scoped_lock lock(services_mutex);
    for (Service* service : services) stopping.spawn(service->stop(options.stop_grace));
  }
  co_await stopping.wait();
}

void Runtime::on_signal(int signal, std::function<void()> handler) {
  state_->signal_waits->spawn(state_->wait_for_signal(signal, std::move(handler)));
}

Task<void> Runtime::State::wait_for_signal(int signal, std::function<void()> handler) {
  SignalSet signals(contexts[0]->get_executor(), signal);
  for (;;) {
    const auto [error, number] = co_await signals.async_wait(asio::as_tuple(use_task));
    if (error) co_return;
    handler();
  }
}

std::size_t Runtime::threads() const noexcept { return state_->contexts.size(); }

Executor Runtime::executor(std::size_t thread) const {
  return state_->contexts.at(thread)->get_executor();
}

void Runtime::add(Service& service) {
  const std::scoped_lock lock(state_->services_mutex);
  state_->services.push_back(&service);
}

void Runtime::remove(Service& service) {
  const std::scoped_lock lock(state_->services_mutex);
  std::erase(state_->services, &service);
}

void Runtime::stop_and_wait(Service& service) {
  const bool running = !state_->threads.empty();
  const auto grace = running ? state_->options.stop_grace : std::chrono::steady_clock::duration{};
  std::future<void> ended =
      asio::co_spawn(executor(0), service.stop(grace), asio::use_future);
  if (running) return ended.get();

  // No thread runs what the service left behind, so this one does.
  while (ended.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    for (auto& context : state_->contexts) {
      context->restart();
      context->poll();
    }
  }
  ended.get();
}

}  // namespace livetls
