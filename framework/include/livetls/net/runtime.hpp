#pragma once

#include <chrono>
#include <csignal>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "livetls/async/task.hpp"

namespace livetls {

/// Something that runs on the runtime's threads and must come to an end with it.
class Service {
 public:
  virtual ~Service() = default;

  /// Stops taking on work at once; completes when all that was taken on has ended, which after
  /// `grace` it is made to. Called on the runtime's first thread, or, where the runtime has stopped
  /// already, on the thread that waits for it: then without grace, and perhaps while an earlier
  /// call is under way. Throws nothing.
  virtual Task<void> stop(std::chrono::steady_clock::duration grace) = 0;
};

/// The threads that servers run on: one a core, each with an io_context of its own.
///
/// Thread safety: `stop` and `on_signal` handlers aside, use it from the thread that made it.
/// Lifetime: make it before the servers that run on it; it must outlive them.
class Runtime {
 public:
  struct Options {
    /// 0: as many as there are processors.
    std::size_t threads = 0;

    /// How long connections may take to finish what they are doing after a stop.
    std::chrono::steady_clock::duration stop_grace = std::chrono::seconds(10);

    /// SIGINT and SIGTERM stop gracefully; a second one stops at once.
    bool stop_on_signals = true;
  };

  explicit Runtime(Options options);
  Runtime() : Runtime(Options{}) {}
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// Stops at once and waits for the threads.
  ~Runtime();

  /// Starts the threads and returns.
  void start();

  /// Starts the threads where that has not happened, and returns when the runtime has stopped and
  /// every service has ended.
  void run();

  /// Begins a graceful stop: nothing new is accepted, what is in flight finishes within the grace.
  /// Any thread.
  void stop();

  /// Calls `handler` on the runtime's first thread whenever the process gets the signal.
  void on_signal(int signal, std::function<void()> handler);

  std::size_t threads() const noexcept;
  Executor executor(std::size_t thread) const;

  /// Services are stopped with the runtime. One that is removed must have ended. While the runtime
  /// runs, both are called on its first thread or from the thread that made it.
  void add(Service& service);
  void remove(Service& service);

  /// For a service that ends before its runtime: stops it and waits, whatever stage the runtime is
  /// in. Not on a runtime's thread.
  void stop_and_wait(Service& service);

  /// Whether a service has stopped, with the runtime or before it. Thread-safe.
  bool has_ended(const Service& service) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace livetls
