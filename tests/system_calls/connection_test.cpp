// What a connection costs in system calls: fewer need a reason, more need a better one.

#include <gtest/gtest.h>

#include "livetls/rotation/cert_manager.hpp"
#include "livetls/web/server.hpp"
#include "support/eventually.hpp"
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

}  // namespace
}  // namespace livetls
