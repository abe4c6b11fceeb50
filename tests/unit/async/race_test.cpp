#include "livetls/async/race.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <optional>
#include <stdexcept>
#include <vector>

#include "livetls/async/timer.hpp"

namespace livetls {
namespace {

namespace asio = boost::asio;

/// Ends when it is cancelled only, and says that it has.
Task<void> wait_for_ever(int& ended) {
  Timer never(co_await asio::this_coro::executor, Timer::time_point::max());
  try {
    co_await never.async_wait(use_task);
  } catch (...) {
    ++ended;
    throw;
  }
}

Task<void> end_at_once() { co_return; }

Task<void> throw_at_once() {
  throw std::runtime_error("it failed");
  co_return;
}

/// Ends a while after it was cancelled, without an error.
Task<void> take_its_time(bool& ended) {
  const Executor executor = co_await asio::this_coro::executor;
  int cancelled = 0;
  try {
    co_await wait_for_ever(cancelled);
  } catch (const boost::system::system_error&) {
  }
  co_await asio::this_coro::reset_cancellation_state();
  Timer soon(executor, std::chrono::milliseconds(1));
  co_await soon.async_wait(use_task);
  ended = true;
}

class Race : public testing::Test {
 protected:
  std::exception_ptr run(Task<void> task) {
    std::optional<std::exception_ptr> end;
    asio::co_spawn(io_, std::move(task),
                   asio::bind_cancellation_slot(cancel_.slot(),
                                                [&](std::exception_ptr thrown) { end = thrown; }));
    asio::post(io_, [this] {
      if (is_cancelled_) cancel_.emit(asio::cancellation_type::terminal);
    });
    io_.run();
    EXPECT_TRUE(end) << "it never ended";
    return end.value_or(nullptr);
  }

  asio::io_context io_{1};
  asio::cancellation_signal cancel_;
  bool is_cancelled_ = false;  // the caller, once it has started
  int cancelled_ = 0;
};

Task<void> note_first_of(std::vector<Task<void>> tasks, std::size_t& first) {
  first = co_await first_of(std::move(tasks));
}

TEST_F(Race, TheFirstEndCancelsTheOthersAndWaitsForThem) {
  bool slow_has_ended = false;
  std::vector<Task<void>> tasks;
  tasks.push_back(wait_for_ever(cancelled_));
  tasks.push_back(end_at_once());
  tasks.push_back(take_its_time(slow_has_ended));
  std::size_t first = 7;
  EXPECT_FALSE(run(note_first_of(std::move(tasks), first)));
  EXPECT_EQ(first, 1U);
  EXPECT_EQ(cancelled_, 1);
  EXPECT_TRUE(slow_has_ended);
}

TEST_F(Race, AnExceptionIsAnEndAsWell) {
  std::vector<Task<void>> tasks;
  tasks.push_back(throw_at_once());
  tasks.push_back(wait_for_ever(cancelled_));
  std::size_t first = 7;
  const std::exception_ptr thrown = run(note_first_of(std::move(tasks), first));
  ASSERT_TRUE(thrown);
  EXPECT_THROW(std::rethrow_exception(thrown), std::runtime_error);
  EXPECT_EQ(cancelled_, 1);
}

TEST_F(Race, AllAreWaitedFor) {
  bool slow_has_ended = false;
  auto end_slowly = [&]() -> Task<void> {
    Timer soon(io_.get_executor(), std::chrono::milliseconds(1));
    co_await soon.async_wait(use_task);
    slow_has_ended = true;
  };
  EXPECT_FALSE(run(all_of(end_slowly(), end_at_once())));
  EXPECT_TRUE(slow_has_ended);
}

TEST_F(Race, OfAllTheFirstExceptionCancelsTheOthersAndIsThrown) {
  const std::exception_ptr thrown = run(all_of(wait_for_ever(cancelled_), throw_at_once()));
  ASSERT_TRUE(thrown);
  EXPECT_THROW(std::rethrow_exception(thrown), std::runtime_error);
  EXPECT_EQ(cancelled_, 1);
}

TEST_F(Race, CancellingTheCallerCancelsThemAll) {
  is_cancelled_ = true;
  for (const bool all : {false, true}) {
    cancelled_ = 0;
    io_.restart();
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 3; ++i) tasks.push_back(wait_for_ever(cancelled_));
    std::size_t first = 7;
    const std::exception_ptr thrown =
        run(all ? all_of(std::move(tasks)) : note_first_of(std::move(tasks), first));
    ASSERT_TRUE(thrown);
    EXPECT_THROW(std::rethrow_exception(thrown), boost::system::system_error);
    EXPECT_EQ(cancelled_, 3);
  }
}

}  // namespace
}  // namespace livetls
