#include "net/proxy_protocol.hpp"

#include <gtest/gtest.h>

#include "livetls/rotation/cert_manager.hpp"
#include "livetls/tcp/server.hpp"
#include "support/eventually.hpp"
#include "support/http_client.hpp"
#include "support/running_runtime.hpp"
#include "support/test_ca.hpp"

namespace livetls {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::PlainClient;

std::string to_string(const boost::asio::ip::tcp::endpoint& endpoint) {
  return endpoint.address().to_string() + " " + std::to_string(endpoint.port());
}

/// Says who it thinks it speaks with, and ends.
Task<void> tell_endpoints(Connection& connection) {
  const std::string text =
      to_string(connection.remote_endpoint()) + " at " + to_string(connection.local_endpoint());
  co_await connection.write(text);
}

class ProxyProtocol : public testing::Test {
 protected:
  void start(tcp::ServerOptions options) {
    options.plain = true;
    server_.emplace(runtime_, nullptr, tell_endpoints, options);
  }

  /// What the server says after a header, which arrives in pieces; empty where it only closes.
  std::string told(std::string_view header, std::size_t piece = std::string_view::npos) {
    PlainClient client = test::plain_client(server_->port());
    std::string text;
    try {
      for (std::size_t at = 0; at < header.size(); at += std::min(piece, header.size() - at)) {
        client.send(header.substr(at, piece));
      }
      client.finish_sending();
      for (;;) text += client.read(1);
    } catch (const boost::system::system_error&) {  // the end
      return text;
    }
  }

  test::RunningRuntime runtime_;
  std::optional<tcp::Server> server_;
};

std::string version_2(char command, char family, std::string_view rest) {
  std::string header("\r\n\r\n\0\r\nQUIT\n", 12);
  header += {command, family, static_cast<char>(rest.size() >> 8), static_cast<char>(rest.size())};
  return header + std::string(rest);
}

const std::string kTcp4("\xc0\x00\x02\x01\xc0\x00\x02\x02\xdc\x04\x01\xbb", 12);
const std::string kTcp6 = std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + "\x01" +
                          std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + "\x02" +
                          std::string("\xdc\x04\x01\xbb", 4);

TEST_F(ProxyProtocol, TellsForWhomAProxyConnects) {
  start({.proxies = {"127.0.0.0/8", "::1"}});
  const std::string v4 = "192.0.2.1 56324 at 192.0.2.2 443";
  const std::string v6 = "2001:db8::1 56324 at 2001:db8::2 443";
  for (const std::size_t piece : {1UL, 7UL, 1000UL}) {
    EXPECT_EQ(told("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n", piece), v4);
    EXPECT_EQ(told("PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n", piece), v6);
    EXPECT_EQ(told(version_2(0x21, 0x11, kTcp4), piece), v4);
    EXPECT_EQ(told(version_2(0x21, 0x11, kTcp4 + std::string(300, 'x')), piece), v4);
    EXPECT_EQ(told(version_2(0x21, 0x21, kTcp6), piece), v6);
  }
  EXPECT_EQ(server_->counters().no_proxy, 0U);
}

TEST_F(ProxyProtocol, LeavesTheProxyItselfWhereItSaysNothingElse) {
  start({.address = "127.0.0.1", .proxies = {"127.0.0.1"}});
  for (const std::string& header :
       {std::string("PROXY UNKNOWN\r\n"), std::string("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"),
        version_2(0x20, 0x00, ""), version_2(0x21, 0x31, std::string(216, 'u'))}) {
    EXPECT_EQ(told(header).substr(0, 10), "127.0.0.1 ");
  }
}

TEST_F(ProxyProtocol, RefusesWhatIsNoHeader) {
  start({.proxies = {"127.0.0.1"}});
  const std::vector<std::string> bad = {
      "",
      "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 56324\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443 1\r\n",
      "PROXY TCP4 2001:db8::1 2001:db8::2 56324 443\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 65536 443\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 -1 443\r\n",
      "PROXY TCP5 192.0.2.1 192.0.2.2 1 443\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\n",
      "PROXY " + std::string(200, 'x') + "\r\n",
      "proxy TCP4 192.0.2.1 192.0.2.2 56324 443\r\n",
      version_2(0x11, 0x11, kTcp4),
      version_2(0x22, 0x11, kTcp4),
      version_2(0x21, 0x11, kTcp4.substr(0, 11)),
      version_2(0x21, 0x21, kTcp6.substr(0, 35)),
      version_2(0x21, 0x11, kTcp4 + std::string(5000, 'x')),
      version_2(0x21, 0x11, kTcp4).substr(0, 20),
  };
  for (const std::string& header : bad) EXPECT_EQ(told(header), "") << header;
  EXPECT_TRUE(eventually([&] { return server_->counters().no_proxy == bad.size(); }));
  EXPECT_NE(told("PROXY UNKNOWN\r\n"), "") << "others are unharmed";
}

TEST_F(ProxyProtocol, BelievesNobodyElse) {
  start({.proxies = {"192.0.2.0/24", "2001:db8::/32"}});
  EXPECT_EQ(told("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"), "");
  EXPECT_TRUE(eventually([&] { return server_->counters().no_proxy == 1; }));
}

TEST_F(ProxyProtocol, IsOffUnlessItIsSwitchedOn) {
  start({.address = "127.0.0.1"});
  EXPECT_EQ(told("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n").substr(0, 10), "127.0.0.1 ");
}

TEST_F(ProxyProtocol, WaitsNoLongerThanForAHandshake) {
  start({.proxies = {"127.0.0.1"}, .handshake_timeout = 50ms});
  PlainClient client = test::plain_client(server_->port());
  client.send("PROXY TCP4 192.0");
  EXPECT_TRUE(eventually([&] { return server_->counters().no_proxy == 1; }));
}

TEST_F(ProxyProtocol, ComesBeforeTls) {
  const test::TestCa ca;
  tcp::Server server(runtime_, CertManager::create(ca.issue("a")).value(), tell_endpoints,
                     {.proxies = {"127.0.0.1"}});
  test::HttpsClient client(server.port(), "127.0.0.1",
                           ClientContext::create({.roots = ca.roots()}).value(),
                           ServerName::parse("localhost").value());
  const std::string header = "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n";
  boost::asio::write(client.stream().next_layer(), boost::asio::buffer(header));
  client.handshake();
  const std::string expected = "192.0.2.1 56324 at 192.0.2.2 443";
  EXPECT_EQ(client.read(expected.size()), expected);
}

TEST(NetworksTest, HoldTheirAddresses) {
  const Networks networks({"10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::1"});
  const auto holds = [&](const char* text) {
    return networks.contains(boost::asio::ip::make_address(text));
  };
  for (const char* inside :
       {"10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3", "192.0.2.7", "2001:db8:ffff::1", "::1"}) {
    EXPECT_TRUE(holds(inside)) << inside;
  }
  for (const char* outside : {"11.0.0.0", "9.255.255.255", "192.0.2.8", "2001:db9::", "::2",
                              "::ffff:11.0.0.1", "::10.0.0.1"}) {
    EXPECT_FALSE(holds(outside)) << outside;
  }
  for (const char* none : {"", "localhost", "10.0.0.0/33", "10.0.0", "::1/129", "10.0.0.0/"}) {
    EXPECT_THROW(Networks({none}), std::invalid_argument) << none;
  }
}

}  // namespace
}  // namespace livetls
