// What docs/web.md recommends for work that blocks, under cancellation.

#include "../examples/notes/blocking.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <thread>

#include "livetls/async/race.hpp"
#include "livetls/async/timer.hpp"
#include "support/running_runtime.hpp"

namespace livetls {
namespace {

using namespace std::chrono_literals;

Task<void> after(Executor executor, std::chrono::microseconds time) {
  Timer timer(executor, time);
  co_await timer.async_wait(use_task);
}

Task<void> wait_for(Task<int> work) { co_await std::move(work); }

/// Races the end of the work against the cancellation of its caller, many times.
Task<void> race(Executor executor, notes::Blocking& blocking, std::atomic<int>& done) {
  for (int i = 0; i < 2000; ++i) {
    const auto time = std::chrono::microseconds(20 + i % 60);
    Task<void> work = wait_for(blocking.run([&, time] {
      const auto end = std::chrono::steady_clock::now() + time;
      while (std::chrono::steady_clock::now() < end) {
      }
      return ++done;
    }));
    Task<void> limit = after(executor, 50us);
    co_await first_of(std::move(work), std::move(limit));
  }
}

/// Seen by AddressSanitizer and ThreadSanitizer where the cancellation crosses threads.
TEST(BlockingExample, IsWaitedForWhenItsCallerIsCancelled) {
  std::atomic<int> done = 0;
  notes::Blocking blocking;
  test::RunningRuntime runtime;
  const Executor executor = runtime->executor(0);
  boost::asio::co_spawn(executor, race(executor, blocking, done), boost::asio::use_future).get();
  EXPECT_EQ(done, 2000);
}

}  // namespace
}  // namespace livetls
