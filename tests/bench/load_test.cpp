// The load generator against servers of ours: what it counts must be what they count.

#include "load/load.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <set>

#include "livetls/pki/certificate_authority.hpp"
#include "livetls/tcp/server.hpp"
#include "livetls/web/http_error.hpp"
#include "livetls/web/server.hpp"
#include "livetls/web/websocket.hpp"
#include "load/sighting_hash.hpp"
#include "support/eventually.hpp"
#include "support/running_runtime.hpp"
#include "tls/load_client.hpp"

namespace livetls::bench {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::RunningRuntime;

std::shared_ptr<const ClientContext> client(TlsVersion version = TlsVersion::tls1_3,
                                            KeyExchange group = KeyExchange::x25519) {
  return make_load_client({.min_version = version, .max_version = version}, group);
}

class LoadTest : public ::testing::Test {
 protected:
  web::Router routes() {
    web::Router router;
    router.get("/", [](web::Request&) { return web::Response::text("hello\n"); });
    router.get("/slow", [](web::Request&) -> Task<web::Response> {
      boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, 20ms);
      co_await timer.async_wait(use_task);
      co_return web::Response::text("hello\n");
    });
    router.post("/length", [](web::Request& request) {
      if (request.body.size() != 7) throw web::HttpError(400);
      return "7";
    });
    router.get("/websocket", web::websocket([this](web::WebSocket& socket) -> Task<void> {
                 bool open = true;
                 while (open) {
                   auto message = co_await socket.receive();
                   open = message.has_value();
                   if (!open) break;
                   echoed_bytes += message->data.size();
                   co_await socket.send(std::move(message->data));
                 }
               }));
    return router;
  }

  LoadOptions load(std::uint16_t port) {
    LoadOptions options;
    options.target = {boost::asio::ip::address_v4::loopback(), port};
    options.client = client();
    options.connections = 4;
    options.operations = 50;
    return options;
  }

  std::atomic<std::size_t> echoed_bytes = 0;
  RunningRuntime runtime;
  CertificateAuthority authority = CertificateAuthority::create().value();
  std::shared_ptr<CertManager> manager = CertManager::create(authority.issue().value()).value();
  web::Server https{runtime, manager, routes()};
};

TEST_F(LoadTest, EachHandshakeIsOneOfTheServers) {
  const LoadResult result = run_load(load(https.port()));
  EXPECT_EQ(result.operations, 50U);
  EXPECT_EQ(result.handshakes, 50U);
  EXPECT_EQ(result.failed, 0U);
  EXPECT_EQ(result.resumed, 0U);
  EXPECT_EQ(result.latency.count(), 50U);
  EXPECT_EQ(https.counters().handshakes, 50U);
  EXPECT_EQ(https.counters().failed_handshakes(), 0U);
  EXPECT_TRUE(eventually([&] { return https.counters().open_connections == 0; }));
}

TEST_F(LoadTest, VersionsGroupsAndKindsOfKeys) {
  for (const KeyType type : {KeyType::ecdsa_p256, KeyType::rsa}) {
    manager->update(authority.issue({.key_type = type}).value()).value();
    for (const auto& context : {client(TlsVersion::tls1_2), client(TlsVersion::tls1_3),
                                client(TlsVersion::tls1_3, KeyExchange::p256)}) {
      LoadOptions options = load(https.port());
      options.client = context;
      options.operations = 4;
      const LoadResult result = run_load(options);
      EXPECT_EQ(result.operations, 4U);
    }
  }
}

TEST_F(LoadTest, SessionsAreResumedWhereAsked) {
  LoadOptions options = load(https.port());
  options.resume = true;
  const LoadResult result = run_load(options);
  EXPECT_EQ(result.handshakes, 50U);
  EXPECT_EQ(result.resumed, 50U - options.connections);  // each has a first one
}

TEST_F(LoadTest, RequestsShareTheirConnections) {
  LoadOptions options = load(https.port());
  options.mode = LoadMode::requests;
  const LoadResult result = run_load(options);
  EXPECT_EQ(result.operations, 50U);
  EXPECT_EQ(result.handshakes, options.connections);
}

TEST_F(LoadTest, JsonIsPosted) {
  LoadOptions options = load(https.port());
  options.mode = LoadMode::requests;
  options.path = "/length";
  options.json = R"({"a":1})";
  const LoadResult result = run_load(options);
  EXPECT_EQ(result.operations, 50U);
  EXPECT_EQ(result.failed, 0U);
  options.json = R"({"a":12})";  // of another length, which the server refuses
  EXPECT_GT(run_load(options).failed, 0U);
}

TEST_F(LoadTest, MessagesAreEchoedOverWebSockets) {
  for (const std::size_t bytes : {1UL, 125UL, 126UL, 20'000UL, 65'535UL}) {
    LoadOptions options = load(https.port());
    options.mode = LoadMode::websocket;
    options.path = "/websocket";
    options.message_bytes = bytes;
    const LoadResult result = run_load(options);
    EXPECT_EQ(result.operations, 50U) << bytes;
    EXPECT_EQ(result.failed, 0U) << bytes;
    EXPECT_LE(result.handshakes, 4U);
  }
  EXPECT_EQ(echoed_bytes, 50 * (1 + 125 + 126 + 20'000 + 65'535));
}

TEST_F(LoadTest, AnUpgradeThatIsRefusedIsAFailure) {
  LoadOptions options = load(https.port());
  options.mode = LoadMode::websocket;
  options.path = "/nowhere";
  const LoadResult result = run_load(options);
  EXPECT_EQ(result.operations, 0U);
  EXPECT_GT(result.failures.count("HTTP status 404"), 0U);
}

TEST_F(LoadTest, MessagesAreEchoed) {
  tcp::Server echo(runtime, manager, [](Connection& connection) -> Task<void> {
    std::vector<char> buffer(10'000);
    for (;;) {
      const auto size = co_await connection.read_some(boost::asio::buffer(buffer));
      if (!size || *size == 0) co_return;
      if (!co_await connection.write(std::string_view(buffer.data(), *size))) co_return;
    }
  });
  for (const std::size_t size : {1U, 1000U, 300'000U}) {
    LoadOptions options = load(echo.port());
    options.mode = LoadMode::echo;
    options.message_bytes = size;
    const LoadResult result = run_load(options);
    EXPECT_EQ(result.operations, 50U) << size;
    EXPECT_EQ(result.failed, 0U) << size;
  }
}

TEST_F(LoadTest, ItSeesWhichCertificateWasServed) {
  std::set<std::uint64_t> seen;
  LoadOptions options = load(https.port());
  options.on_handshake = [&](const Sighting& sighting) { seen.insert(sighting.certificate); };
  run_load(options);
  EXPECT_EQ(seen, std::set{leaf_hash(manager->certificate())});
  manager->update(authority.issue().value()).value();
  run_load(options);
  EXPECT_EQ(seen.size(), 2U);
  EXPECT_TRUE(seen.contains(leaf_hash(manager->certificate())));
}

/// No coordinated omission: one connection, 20 ms for each request, and one due every 2 ms. The
/// last of 20 waited for the 19 before it.
TEST_F(LoadTest, AtAFixedRateLatencyCountsFromWhenAnOperationWasDue) {
  LoadOptions options = load(https.port());
  options.mode = LoadMode::requests;
  options.path = "/slow";
  options.connections = 1;
  options.operations = 20;
  options.rate = 500;
  const LoadResult open = run_load(options);
  EXPECT_EQ(open.operations, 20U);
  EXPECT_GE(open.latency.max(), 20 * 20ms - 20 * 2ms);
  EXPECT_GE(open.latency.percentile(50), 9 * 18ms);

  options.rate = 0;
  const LoadResult closed = run_load(options);
  EXPECT_LT(closed.latency.percentile(50), open.latency.percentile(50));
}

TEST_F(LoadTest, FailuresAreCountedByTheirReason) {
  LoadOptions options = load(https.port());
  options.path = "/nowhere";
  options.operations = 8;
  LoadResult result = run_load(options);
  EXPECT_EQ(result.operations, 0U);
  EXPECT_EQ(result.failures["HTTP status 404"], 8U);

  options.target.port(1);
  result = run_load(options);
  EXPECT_EQ(result.failures["Connection refused"], 8U);
  EXPECT_EQ(result.handshakes, 0U);
}

/// Kept connections that the server has ended are no failures: the next operation makes a new one.
TEST_F(LoadTest, AKeptConnectionThatTheServerEndsIsReplaced) {
  web::Router router;
  router.get("/", [](web::Request&) { return web::Response::text("hello\n"); });
  const web::Server impatient(runtime, manager, std::move(router), {.idle_timeout = 5ms});
  LoadOptions options = load(impatient.port());
  options.mode = LoadMode::requests;
  options.operations = 4;
  options.rate = 4;
  const LoadResult result = run_load(options);
  EXPECT_EQ(result.operations, 4U);
  EXPECT_EQ(result.failed, 0U);
  EXPECT_EQ(result.handshakes, 4U);
}

TEST_F(LoadTest, IdleConnectionsStayUntilTheObjectGoes) {
  {
    LoadOptions options = load(https.port());
    options.connections = 10;
    const IdleConnections idle(options);
    EXPECT_TRUE(eventually([&] { return https.counters().handshakes == 10; }));
    EXPECT_EQ(https.counters().open_connections, 10U);
  }
  EXPECT_TRUE(eventually([&] { return https.counters().open_connections == 0; }));
}

TEST_F(LoadTest, IntervalsHoldAllOperations) {
  LoadOptions options = load(https.port());
  options.operations = 400;
  options.interval = 5ms;
  const LoadResult result = run_load(options);
  std::uint64_t sum = 0;
  for (const LoadInterval& interval : result.intervals) sum += interval.operations;
  EXPECT_LE(sum, 400U);
  EXPECT_GE(sum, 200U);  // the last interval has not ended
  EXPECT_GT(result.busy, 0);
}

TEST_F(LoadTest, SaysWhatWasDueAndNeverBegun) {
  LoadOptions options = load(https.port());
  options.connections = 1;
  options.duration = 50ms;
  options.operations = 1'000'000;
  options.rate = 1e6;
  EXPECT_GT(run_load(options).owed, 0U);
  options.operations = 1;
  EXPECT_EQ(run_load(options).owed, 0U);
}

TEST_F(LoadTest, PollsThatBringNothingDoNotMakeItBusy) {
  LoadOptions options = load(https.port());
  options.polls = true;
  options.operations = 20;
  options.rate = 200;  // so that it has nothing to do most of the time
  const LoadResult result = run_load(options);
  EXPECT_EQ(result.operations, 20U);
  EXPECT_GT(result.busy, 0);
  EXPECT_LT(result.busy, 1);
}

}  // namespace
}  // namespace livetls::bench
