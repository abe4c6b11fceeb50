// Messages that are sent from anywhere while a connection is read.

#include "livetls/tcp/sender.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "livetls/tcp/message_stream.hpp"
#include "livetls/tcp/server.hpp"
#include "support/eventually.hpp"
#include "support/gate.hpp"
#include "support/http_client.hpp"
#include "support/running_runtime.hpp"

namespace livetls::tcp {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::PlainClient;

class SenderTest : public testing::Test {
 protected:
  using Talk = std::function<Task<void>(Sender, MessageStream&)>;

  void start(Talk talk, MessageOptions options = {}) {
    talk_ = std::move(talk);
    server_.emplace(
        runtime_, nullptr,
        [this, options](Connection& connection) { return serve(connection, options); },
        ServerOptions{.plain = true});
  }

  Task<void> serve(Connection& connection, MessageOptions options) {
    MessageStream messages(connection, Delimiter{.max_bytes = 1'000'000}, options);
    const std::function<Task<void>(Sender)> talk = [this, &messages](Sender sender) {
      return talk_(std::move(sender), messages);
    };
    try {
      co_await messages.run(talk);
    } catch (const std::exception& thrown) {
      const std::scoped_lock lock(mutex_);
      thrown_ = thrown.what();
    }
    ++ended_;
  }

  /// Hands the sender out, and reads until the peer ends.
  Task<void> read_to_the_end(Sender sender, MessageStream& messages) {
    {
      const std::scoped_lock lock(mutex_);
      sender_ = std::move(sender);
    }
    bool open = true;
    while (open) {
      const auto message = co_await messages.read();
      open = message && *message;
    }
  }

  Talk reading() {
    return [this](Sender sender, MessageStream& messages) {
      return read_to_the_end(std::move(sender), messages);
    };
  }

  Sender sender() {
    EXPECT_TRUE(eventually([this] {
      const std::scoped_lock lock(mutex_);
      return sender_.has_value();
    }));
    const std::scoped_lock lock(mutex_);
    return *sender_;
  }

  PlainClient connect() { return test::plain_client(server_->port()); }

  std::mutex mutex_;
  std::optional<Sender> sender_;
  std::string thrown_;
  std::atomic<int> ended_ = 0;
  Talk talk_;
  test::Gate gate_;
  test::RunningRuntime runtime_;
  std::optional<Server> server_;
};

TEST_F(SenderTest, SendsFromManyThreadsEachInItsOrder) {
  start(reading());
  PlainClient client = connect();
  const Sender sender = this->sender();
  constexpr int kThreads = 4;
  constexpr int kEach = 500;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([sender, t] {
      for (int i = 0; i < kEach; ++i) {
        EXPECT_TRUE(
            sender.send(std::string(1, static_cast<char>('a' + t)) + std::to_string(1000 + i)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string all = client.read(kThreads * kEach * 6);
  std::array<int, kThreads> next{};
  for (std::size_t at = 0; at < all.size(); at += 6) {
    int& expected = next.at(static_cast<std::size_t>(all[at] - 'a'));
    EXPECT_EQ(all.substr(at + 1, 5), std::to_string(1000 + expected++) + "\n");
  }
}

TEST_F(SenderTest, SendsWhatIsQueuedWhenTheTalkIsOver) {
  start([](Sender sender, MessageStream&) -> Task<void> {
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(sender.send("line"));
    co_return;
  });
  PlainClient client = connect();
  std::string expected;
  for (int i = 0; i < 1000; ++i) expected += "line\n";
  EXPECT_EQ(client.read(expected.size()), expected);
  EXPECT_EQ(client.end(), boost::asio::error::eof);
}

TEST_F(SenderTest, SendsWhatIsQueuedAndPassesOnWhatTheTalkThrows) {
  start([](Sender sender, MessageStream& messages) -> Task<void> {
    const auto message = co_await messages.read();  // meanwhile its writer has begun to wait
    EXPECT_TRUE(message && *message);
    EXPECT_TRUE(sender.send("goodbye"));
    throw std::runtime_error("the talk's own reason");
  });
  PlainClient client = connect();
  client.send("hello\n");
  EXPECT_EQ(client.read(8), "goodbye\n");
  EXPECT_EQ(client.end(), boost::asio::error::eof);
  ASSERT_TRUE(eventually([&] { return ended_ == 1; }));
  EXPECT_EQ(thrown_, "the talk's own reason");
}

TEST_F(SenderTest, IsFullAtItsLimitAndWaitsForRoom) {
  std::atomic<bool> was_full = false;
  std::atomic<int> sent = 0;
  start(
      [&](Sender sender, MessageStream&) -> Task<void> {
        const std::string large(600'000, 'x');  // the writer has not had its turn yet
        EXPECT_TRUE(sender.send(large));
        const auto full = sender.send(large);
        was_full = !full && full.error().code == boost::asio::error::no_buffer_space;
        for (int i = 0; i < 20; ++i) {
          const auto done = co_await sender.send_when_room(large);
          if (done) ++sent;
        }
      },
      {.max_queued_bytes = 1'000'000});
  PlainClient client = connect();
  EXPECT_EQ(client.read(21 * 600'001).size(), 21U * 600'001);
  EXPECT_TRUE(was_full);
  EXPECT_EQ(sent, 20);
}

TEST_F(SenderTest, SaysWhatCannotBeSentAndWhenItIsOver) {
  start(reading());
  PlainClient client = connect();
  const Sender sender = this->sender();
  EXPECT_EQ(sender.send("two\nlines").error().code, FramingErrc::contains_delimiter);
  client.finish_sending();
  EXPECT_EQ(client.end(), boost::asio::error::eof);
  ASSERT_TRUE(eventually([&] { return ended_ == 1; }));
  EXPECT_EQ(sender.send("late").error().code, boost::asio::error::shut_down);
}

TEST_F(SenderTest, KeepsAliveWhatIsIdle) {
  start(reading(), {.keep_alive_bytes = "\n", .keep_alive_period = 1ms});
  PlainClient client = connect();
  EXPECT_EQ(client.read(3), "\n\n\n");
}

TEST_F(SenderTest, EndsWithItsConnection) {
  start([this](Sender sender, MessageStream&) -> Task<void> {
    co_await gate_.pass();
    bool open = true;
    while (open) open = (co_await sender.send_when_room(std::string(100'000, 'x'))).has_value();
  });
  {
    PlainClient client = connect();
    ASSERT_TRUE(eventually([&] { return gate_.waiting() == 1; }));
  }
  gate_.open();
  EXPECT_TRUE(eventually([&] { return ended_ == 1; }));
}

}  // namespace
}  // namespace livetls::tcp
