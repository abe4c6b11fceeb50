#include "livetls/tcp/balance.hpp"

#include <gtest/gtest.h>

#include "support/captured_log.hpp"
#include "support/eventually.hpp"
#include "support/http_client.hpp"
#include "support/running_runtime.hpp"

namespace livetls::tcp {
namespace {

using test::eventually;
using test::PlainClient;

class BalanceTest : public testing::Test {
 protected:
  /// Says its name, and waits for the end.
  Server::Handler worker(std::string name) {
    return [this, name](Connection& connection) { return serve(connection, name); };
  }

  Task<void> serve(Connection& connection, std::string name) {
    const auto sent = co_await connection.write(name);
    char byte;
    if (sent) co_await connection.read_some(boost::asio::buffer(&byte, 1));
  }

  std::string ask(PlainClient& client) { return client.read(1); }

  const test::CapturedLog log_;
  test::RunningRuntime runtime_;
};

TEST_F(BalanceTest, TakesWorkersInTurn) {
  const Server server(runtime_, nullptr, balance({worker("a"), worker("b"), worker("c")}),
                      {.plain = true});
  std::string answers;
  for (int i = 0; i < 6; ++i) {
    PlainClient client = test::plain_client(server.port());
    answers += ask(client);
  }
  EXPECT_EQ(answers, "abcabc");
}

TEST_F(BalanceTest, TakesTheLeastLoaded) {
  const Server server(runtime_, nullptr, balance({worker("a"), worker("b")}, Balance::least_loaded),
                      {.plain = true});
  PlainClient first = test::plain_client(server.port());
  EXPECT_EQ(ask(first), "a");
  for (int i = 0; i < 3; ++i) {
    PlainClient client = test::plain_client(server.port());
    EXPECT_EQ(ask(client), "b") << "as often as it is free";
    client.finish_sending();
    client.end();
    ASSERT_TRUE(eventually([&] { return server.counters().open_connections == 1; }));
  }
}

TEST_F(BalanceTest, AWorkerThatThrowsIsFreeAgain) {
  const Server::Handler throwing = [](Connection&) -> Task<void> {
    throw std::runtime_error("fault");
    co_return;
  };
  const Server server(runtime_, nullptr, balance({throwing, worker("b")}, Balance::least_loaded),
                      {.plain = true});
  for (std::uint64_t i = 0; i < 2; ++i) {
    PlainClient client = test::plain_client(server.port());
    EXPECT_TRUE(client.end());
    ASSERT_TRUE(eventually([&] { return server.counters().open_connections == 0; }));
  }
}

TEST_F(BalanceTest, NeedsWorkers) {
  EXPECT_THROW(balance({}), std::invalid_argument);
  EXPECT_THROW(balance({Server::Handler()}), std::invalid_argument);
}

}  // namespace
}  // namespace livetls::tcp
