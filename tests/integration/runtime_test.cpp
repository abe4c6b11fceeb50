// What users' code throws on a server thread is logged, and ends nothing else.

#include "livetls/net/runtime.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <csignal>
#include <stdexcept>

#include "support/captured_log.hpp"
#include "support/eventually.hpp"

namespace livetls {
namespace {

using test::eventually;

Runtime::Options two_threads() { return {.threads = 2, .stop_on_signals = false}; }

TEST(RuntimeTest, GoesOnAfterAPostedHandlerThatThrows) {
  const test::CapturedLog log;
  Runtime runtime(two_threads());
  std::atomic<int> ran = 0;
  runtime.start();
  for (std::size_t thread = 0; thread < 2; ++thread) {
    boost::asio::post(runtime.executor(thread), [] { throw std::runtime_error("the reason"); });
    boost::asio::post(runtime.executor(thread), [] { throw 7; });
    boost::asio::post(runtime.executor(thread), [&ran] { ++ran; });
  }
  EXPECT_TRUE(eventually([&] { return ran == 2; }));
  runtime.stop();
  runtime.run();
  EXPECT_NE(log.text().find("a posted handler failed: the reason"), std::string::npos)
      << log.text();
}

TEST(RuntimeTest, HandlesTheNextSignalAlsoAfterAHandlerThatThrew) {
  const test::CapturedLog log;
  Runtime runtime(two_threads());
  std::atomic<int> signals = 0;
  runtime.on_signal(SIGUSR1, [&] {
    ++signals;
    throw std::runtime_error("the reason");
  });
  runtime.start();
  for (int sent = 1; sent <= 3; ++sent) {
    ::kill(::getpid(), SIGUSR1);
    ASSERT_TRUE(eventually([&] { return signals == sent; }));
  }
  runtime.stop();
  runtime.run();
  EXPECT_NE(log.text().find("the reason"), std::string::npos) << log.text();
}

}  // namespace
}  // namespace livetls
