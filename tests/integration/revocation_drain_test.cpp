// A revocation ends the connections that the revoked key vouched for, and no others.

#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>

#include "livetls/net/listener.hpp"
#include "livetls/web/server.hpp"
#include "support/eventually.hpp"
#include "support/gate.hpp"
#include "support/http_client.hpp"
#include "support/running_runtime.hpp"
#include "support/tell_what_is_served.hpp"
#include "support/test_ca.hpp"
#include "support/tls_client.hpp"

namespace livetls {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using test::ask_what_was_served;
using test::TlsClient;

class RevocationDrainTest : public ::testing::Test {
 protected:
  TlsClient connect(std::uint16_t port, std::string_view name = "localhost") {
    return test::tls_client(port, {.roots = ca.roots()}, name);
  }

  Revocation revoke(RevokeOptions options = {.spread = 0s}) {
    options.replacement = fresh;
    return manager->revoke(leaked, std::move(options)).value();
  }

  static void expect_finished(const Revocation& revocation) {
    EXPECT_NO_THROW(revocation.async_finished(20s, asio::use_future).get());
  }

  test::TestCa ca;
  const Certificate leaked = ca.issue("leaked"), fresh = ca.issue("fresh");
  const Certificate other = ca.issue_for("other.localhost");
  std::shared_ptr<CertManager> manager =
      CertManager::create({.default_identity = leaked, .identities = {{"other.localhost", other}}})
          .value();
  test::RunningRuntime runtime;
};

TEST_F(RevocationDrainTest, TcpHandlersGetANoticeAndConnectionsOfOtherKeysGoOn) {
  Listener listener(runtime, manager, test::tell_what_is_served, {.address = "127.0.0.1"});
  TlsClient first = connect(listener.port()), second = connect(listener.port());
  TlsClient unconcerned = connect(listener.port(), "other.localhost");
  for (TlsClient* client : {&first, &second, &unconcerned}) ask_what_was_served(*client);

  const Revocation revocation = revoke();
  EXPECT_EQ(first.end(), asio::error::eof) << "a proper end";
  EXPECT_EQ(second.end(), asio::error::eof);
  first.shutdown(), second.shutdown();
  expect_finished(revocation);
  EXPECT_EQ(revocation.connections().found, 2U);
  EXPECT_EQ(revocation.connections().ended, 2U);
  EXPECT_EQ(revocation.connections().cut, 0U);
  EXPECT_EQ(ask_what_was_served(unconcerned).generation, 1U);
  TlsClient again = connect(listener.port());
  EXPECT_EQ(ask_what_was_served(again).generation, 2U);
}

TEST_F(RevocationDrainTest, AllOlderGenerationsCanBeDrainedToo) {
  Listener listener(runtime, manager, test::tell_what_is_served, {.address = "127.0.0.1"});
  TlsClient unconcerned = connect(listener.port(), "other.localhost");
  ask_what_was_served(unconcerned);
  const Revocation revocation = revoke({.drain = DrainScope::all_older, .spread = 0s});
  EXPECT_EQ(unconcerned.end(), asio::error::eof);
  unconcerned.shutdown();
  expect_finished(revocation);
  EXPECT_NO_THROW(revocation.receipt.async_drained(20s, asio::use_future).get());
}

TEST_F(RevocationDrainTest, ARequestInHandIsFinishedAndSaysConnectionClose) {
  test::Gate gate;
  web::Router router;
  router.get("/slow", [&gate](web::Request&) -> Task<web::Response> {
    co_await gate.pass();
    co_return web::Response::text("done\n");
  });
  web::Server server(runtime, manager, std::move(router), {.address = "127.0.0.1"});
  auto busy = test::https_client(server.port(), {.roots = ca.roots()});
  TlsClient idle = connect(server.port());
  busy.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(test::eventually([&] { return gate.waiting() == 1; }));

  const Revocation revocation = revoke();
  EXPECT_EQ(idle.end(), asio::error::eof) << "nothing is in hand there";
  idle.shutdown();
  gate.open();
  const auto response = busy.response();
  EXPECT_EQ(response.body(), "done\n");
  EXPECT_EQ(response["Connection"], "close");
  EXPECT_EQ(busy.end(), asio::error::eof);
  busy.vanish();
  expect_finished(revocation);
  EXPECT_EQ(revocation.connections().ended, 2U);
}

/// Takes no notice of a stop.
Task<void> stubborn(Connection& connection) {
  connection.keep_reading_on_stop(true);
  std::array<char, 64> bytes;
  for (;;) {
    const auto read = co_await connection.read_some(asio::buffer(bytes));
    if (!read || *read == 0) co_return;
    if (!co_await connection.write(std::string_view(bytes.data(), *read))) co_return;
  }
}

TEST_F(RevocationDrainTest, AtTheDeadlineWhatIsStillOpenIsCut) {
  Listener listener(runtime, manager, stubborn, {.address = "127.0.0.1"});
  TlsClient client = connect(listener.port());
  client.send("x");
  ASSERT_EQ(client.read(1), "x");
  const Revocation revocation = revoke({.spread = 0s, .deadline = 1ms});
  EXPECT_NE(client.end(), boost::system::error_code());
  expect_finished(revocation);
  EXPECT_EQ(revocation.connections().cut, 1U);
  EXPECT_EQ(revocation.connections().ended, 0U);
}

TEST_F(RevocationDrainTest, NoticesAreSpreadOverTheTime) {
  Listener listener(runtime, manager, test::tell_what_is_served, {.address = "127.0.0.1"});
  constexpr int kClients = 20;
  std::vector<TlsClient> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.push_back(connect(listener.port()));
    ask_what_was_served(clients.back());
  }
  const auto begun = std::chrono::steady_clock::now();
  const Revocation revocation = revoke({.spread = 500ms});
  for (TlsClient& client : clients) {
    EXPECT_EQ(client.end(), asio::error::eof);
    client.shutdown();
  }
  expect_finished(revocation);
  EXPECT_EQ(revocation.connections().ended, static_cast<std::uint64_t>(kClients));
  EXPECT_GE(std::chrono::steady_clock::now() - begun, 500ms) << "the last is told at the end";
}

TEST_F(RevocationDrainTest, WithoutConnectionsItIsFinishedAtOnceAlsoWhereServersHaveEnded) {
  { Listener gone(runtime, manager, test::tell_what_is_served, {.address = "127.0.0.1"}); }
  Listener listener(runtime, manager, test::tell_what_is_served, {.address = "127.0.0.1"});
  expect_finished(revoke());
}

TEST_F(RevocationDrainTest, AServerThatStopsDuringADrainEndsInOrder) {
  auto listener = std::make_unique<Listener>(runtime, manager, test::tell_what_is_served,
                                             ListenerOptions{.address = "127.0.0.1"});
  TlsClient client = connect(listener->port());
  ask_what_was_served(client);
  const Revocation revocation = revoke({.spread = 30s});
  listener.reset();
  expect_finished(revocation);
  EXPECT_EQ(revocation.connections().ended, revocation.connections().found);
}

}  // namespace
}  // namespace livetls
