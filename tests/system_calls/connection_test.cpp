// What a connection costs in system calls: fewer need a reason, more need a better one.

#include <gtest/gtest.h>

#include <atomic>

#include "livetls/rotation/cert_manager.hpp"
#include "livetls/tcp/message_stream.hpp"
#include "livetls/tcp/server.hpp"
#include "livetls/web/server.hpp"
#include "support/eventually.hpp"
#include "support/http_client.hpp"
#include "support/test_ca.hpp"
#include "support/tls_client.hpp"
#include "system_calls/counted_calls.hpp"

namespace livetls {
namespace {

class SystemCalls : public testing::Test {
 protected:
  SystemCalls() {
    runtime_.start();
    serve(1);  // from here on, the server's thread is counted
  }

  /// So many connections, one after the other, with one request each.
  void serve(int connections) {
    for (int i = 0; i < connections; ++i) {
      test::TlsClient client = test::tls_client(server_.port(), {.roots = ca_.roots()});
      client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
      EXPECT_EQ(client.read(15), "HTTP/1.1 200 OK");
      EXPECT_FALSE(client.shutdown());
      EXPECT_TRUE(test::eventually([&] { return server_.counters().open_connections == 0; }));
    }
  }

  web::Router router() {
    web::Router router;
    router.get("/", [](web::Request&) {
      test::count_calls_of_this_thread();
      return web::Response::text("hello");
    });
    return router;
  }

  test::TestCa ca_;
  Runtime runtime_{{.threads = 1, .stop_on_signals = false}};
  web::Server server_{runtime_, CertManager::create(ca_.issue("a")).value(), router()};
};

TEST_F(SystemCalls, OfAConnectionAreOneAFlightAndNoneTwice) {
  constexpr int kConnections = 50;
  const test::CountedCalls before = test::counted_calls();
  serve(kConnections);
  const test::CountedCalls after = test::counted_calls();
  const auto each = [](std::uint64_t a, std::uint64_t b) {
    return static_cast<double>(b - a) / kConnections;
  };
  EXPECT_EQ(each(before.accept, after.accept), 1);
  EXPECT_EQ(each(before.send, after.send), 3);        // the handshake; ticket and response; the end
  EXPECT_LE(each(before.receive, after.receive), 8);  // four, and as many that come too early
  EXPECT_EQ(each(before.watch, after.watch), 2);
  EXPECT_LE(each(before.timer, after.timer), 1);
  EXPECT_LE(each(before.control, after.control), 1);
  EXPECT_EQ(each(before.close, after.close), 1);
}

TEST_F(SystemCalls, OfManyQueuedMessagesAreOneWrite) {
  std::atomic<std::uint64_t> before = 0;
  const auto talk = [&before](tcp::Sender sender) -> Task<void> {
    test::count_calls_of_this_thread();
    before = test::counted_calls().send;
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(sender.send("line"));
    co_return;
  };
  const auto serve_lines = [&talk](tcp::Connection& connection) -> Task<void> {
    tcp::MessageStream messages(connection, tcp::Delimiter{});
    co_await messages.run(talk);
  };
  const tcp::Server lines(runtime_, nullptr, serve_lines, {.plain = true});
  test::PlainClient client = test::plain_client(lines.port());
  EXPECT_EQ(client.read(500).size(), 500U);
  EXPECT_EQ(client.end(), boost::asio::error::eof);
  EXPECT_TRUE(test::eventually([&] { return lines.counters().open_connections == 0; }));
  EXPECT_EQ(test::counted_calls().send - before, 1U);
}

}  // namespace
}  // namespace livetls
