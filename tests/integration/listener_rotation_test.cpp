#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <thread>

#include "livetls/net/listener.hpp"
#include "livetls/net/socket.hpp"
#include "livetls/pki/self_signed.hpp"
#include "support/eventually.hpp"
#include "support/programs.hpp"
#include "support/running_runtime.hpp"
#include "support/tell_what_is_served.hpp"
#include "support/test_ca.hpp"
#include "support/tls_client.hpp"

namespace livetls {
namespace {

namespace asio = boost::asio;
using test::ask_what_was_served;
using test::TlsClient;
using test::Told;

std::string hex(const Certificate& certificate) { return to_hex(certificate.leaf().fingerprint); }

class ListenerRotationTest : public ::testing::Test {
 protected:
  TlsClient connect(const Listener& to, TlsVersion version = TlsVersion::tls1_3) {
    return test::tls_client(
        to.port(),
        {.roots = ca.roots(), .policy = {.min_version = version, .max_version = version}});
  }

  /// What a fresh connection sees, both by what the client received and by what the server says.
  void expect_served(const Listener& by, const Certificate& certificate, std::uint64_t generation,
                     TlsVersion version = TlsVersion::tls1_3) {
    TlsClient client = connect(by, version);
    EXPECT_EQ(to_hex(client.tls().peer_certificate()->fingerprint), hex(certificate));
    expect_still_served(client, certificate, generation);
  }

  static void expect_still_served(TlsClient& client, const Certificate& certificate,
                                  std::uint64_t generation) {
    const Told told = ask_what_was_served(client);
    EXPECT_EQ(told.fingerprint, hex(certificate));
    EXPECT_EQ(told.generation, generation);
  }

  test::TestCa ca;
  const Certificate a = ca.issue("A");
  const Certificate b = ca.issue("B");
  std::shared_ptr<CertManager> manager =
      CertManager::create({.default_identity = a}, {.history_limit = 0}).value();
  test::RunningRuntime runtime;
  Listener listener{runtime, manager, test::tell_what_is_served, {.address = "127.0.0.1"}};
};

TEST_F(ListenerRotationTest, FreshConnectionsFollowEveryUpdateAndTheWayBack) {
  for (const TlsVersion version : {TlsVersion::tls1_3, TlsVersion::tls1_2}) {
    const std::uint64_t start = manager->generation();
    expect_served(listener, a, start, version);
    ASSERT_TRUE(manager->update(b));
    expect_served(listener, b, start + 1, version);
    ASSERT_TRUE(manager->update(a));
    expect_served(listener, a, start + 2, version);
  }
}

TEST_F(ListenerRotationTest, ServersThatShareAManagerChangeTogether) {
  Listener other(runtime, manager, test::tell_what_is_served, {.address = "127.0.0.1"});
  ASSERT_NE(other.port(), listener.port());
  for (const Certificate& next : {b, a, b}) {
    const std::uint64_t generation = manager->update(next).value().generation;
    expect_served(listener, next, generation);
    expect_served(other, next, generation);
  }
}

TEST_F(ListenerRotationTest, AConnectionStaysOnWhatItWasServed) {
  TlsClient tls13 = connect(listener, TlsVersion::tls1_3);
  TlsClient tls12 = connect(listener, TlsVersion::tls1_2);
  expect_still_served(tls13, a, 1);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(manager->update(i % 2 == 0 ? b : a));
    expect_still_served(tls13, a, 1);
    expect_still_served(tls12, a, 1);
  }
  expect_served(listener, b, 4);
}

TEST_F(ListenerRotationTest, WhatAConnectionWasServedIsKeptForItAndForNoLonger) {
  const std::weak_ptr<const Snapshot> first = manager->snapshot();
  {
    TlsClient client = connect(listener);
    expect_still_served(client, a, 1);
    ASSERT_TRUE(manager->update(b));
    EXPECT_FALSE(first.expired());
    expect_still_served(client, a, 1);
    client.vanish();
  }
  EXPECT_TRUE(test::eventually([&] { return first.expired(); }));
}

TEST_F(ListenerRotationTest, ARefusedUpdateLeavesTheOldOneServed) {
  const auto long_ago = std::chrono::sys_days(std::chrono::year(2020) / 1 / 1);
  const Certificate expired = self_signed({.now = long_ago}).value();
  EXPECT_EQ(manager->update(expired).error(), Errc::certificate_expired);
  expect_served(listener, a, 1);
  EXPECT_EQ(manager->update(CertSet{.default_identity = b, .identities = {{"*", b}}}).error(),
            Errc::invalid_server_name);
  expect_served(listener, a, 1);
  ASSERT_TRUE(manager->update(b));
  expect_served(listener, b, 2);
}

TEST_F(ListenerRotationTest, TheKeyTypeMayChangeWithTheCertificate) {
  const Certificate rsa = ca.issue("RSA", KeyType::rsa);
  const Certificate p384 = ca.issue("P-384", KeyType::ecdsa_p384);
  for (const Certificate& next : {rsa, b, rsa, p384, a}) {
    const std::uint64_t generation = manager->update(next).value().generation;
    expect_served(listener, next, generation, TlsVersion::tls1_3);
    expect_served(listener, next, generation, TlsVersion::tls1_2);
  }
}

TEST_F(ListenerRotationTest, NamesComeAndGo) {
  const Certificate api = self_signed({.names = {"api.example"}}).value();
  const auto served_for = [&](std::string_view name) {
    TlsClient client = test::tls_client(listener.port(), {.insecure_skip_verify = true}, name);
    return ask_what_was_served(client).fingerprint;
  };
  EXPECT_EQ(served_for("api.example"), hex(a));
  ASSERT_TRUE(
      manager->update(CertSet{.default_identity = a, .identities = {{"api.example", api}}}));
  EXPECT_EQ(served_for("api.example"), hex(api));
  EXPECT_EQ(served_for("localhost"), hex(a));
  ASSERT_TRUE(manager->update(CertSet{.default_identity = b}));
  EXPECT_EQ(served_for("api.example"), hex(b));
}

// ---- In the middle of a handshake --------------------------------------------------------------

/// Steps an engine over a blocking socket until its handshake is done.
void shake_hands(TlsEngine& engine, TcpSocket& socket) {
  using Next = TlsEngine::Step::Next;
  std::vector<std::uint8_t> output;
  for (;;) {
    const TlsEngine::Step step = engine.handshake();
    engine.take_output(output);
    asio::write(socket, asio::buffer(output));
    if (step.next == Next::done) return;
    if (step.next == Next::failed) throw boost::system::system_error(step.error);
    pollfd readable{socket.native_handle(), POLLIN, 0};
    if (::poll(&readable, 1, 20'000) != 1) throw std::runtime_error("the server is silent");
    engine.input_arrived(socket.read_some(asio::buffer(engine.input_space())));
  }
}

TEST_F(ListenerRotationTest, WhatCountsIsTheMomentAtWhichTheClientHelloIsComplete) {
  const auto context = ClientContext::create({.roots = ca.roots()}).value();
  for (const std::size_t cut : {1U, 5U, 9U, 40U, 150U}) {
    ASSERT_TRUE(manager->update(a));
    TlsEngine engine(context, ServerName::parse("localhost").value());
    engine.handshake();
    std::vector<std::uint8_t> hello;
    engine.take_output(hello);
    ASSERT_GT(hello.size(), cut);

    asio::io_context io;
    TcpSocket socket(io.get_executor());
    socket.connect({asio::ip::address_v4::loopback(), listener.port()});
    asio::write(socket, asio::buffer(hello.data(), cut));
    ASSERT_TRUE(test::eventually([&] { return listener.counters().pending == 1; }));
    ASSERT_TRUE(manager->update(b));
    asio::write(socket, asio::buffer(hello) + cut);
    shake_hands(engine, socket);
    EXPECT_EQ(to_hex(engine.peer_certificate()->fingerprint), hex(b)) << "cut at " << cut;
    ASSERT_TRUE(test::eventually([&] { return listener.counters().handshakes_in_flight == 0; }));
  }
}

TEST_F(ListenerRotationTest, AnUpdateAfterTheClientHelloChangesNothingForItsHandshake) {
  for (const TlsVersion version : {TlsVersion::tls1_3, TlsVersion::tls1_2}) {
    const std::uint64_t before = manager->update(a).value().generation;
    TlsEngine engine(
        ClientContext::create(
            {.roots = ca.roots(), .policy = {.min_version = version, .max_version = version}})
            .value(),
        ServerName::parse("localhost").value());
    asio::io_context io;
    TcpSocket socket(io.get_executor());
    socket.connect({asio::ip::address_v4::loopback(), listener.port()});
    engine.handshake();
    std::vector<std::uint8_t> hello;
    engine.take_output(hello);
    asio::write(socket, asio::buffer(hello));
    pollfd readable{socket.native_handle(), POLLIN, 0};
    ASSERT_EQ(::poll(&readable, 1, 20'000), 1);  // the server has answered

    ASSERT_TRUE(manager->update(b));
    shake_hands(engine, socket);
    EXPECT_EQ(to_hex(engine.peer_certificate()->fingerprint), hex(a));
    EXPECT_EQ(manager->generation(), before + 1);
  }
}

/// Stands between a client and a server, and lets the test act before the server's first answer is
/// passed on.
class Relay {
 public:
  explicit Relay(std::uint16_t server_port)
      : acceptor_(io_, {asio::ip::address_v4::loopback(), 0}), server_port_(server_port) {}

  ~Relay() {
    if (!pump_.joinable()) return;
    for (auto* socket : {&client_, &server_}) ::shutdown(socket->native_handle(), SHUT_RDWR);
    pump_.join();
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  /// Passes the client's first message on, and answers the server's first message, held back.
  std::string first_answer() {
    acceptor_.accept(client_);
    server_.connect({asio::ip::address_v4::loopback(), server_port_});
    pass_on(client_, server_);
    held_back_ = receive(server_);
    return held_back_;
  }

  /// From now on, everything passes.
  void let_go() {
    asio::write(client_, asio::buffer(held_back_));
    pump_ = std::thread([this] { pump(); });
  }

 private:
  static std::string receive(asio::ip::tcp::socket& from) {
    std::string bytes(64 * 1024, '\0');
    boost::system::error_code ended;
    bytes.resize(from.read_some(asio::buffer(bytes), ended));
    return bytes;
  }

  static bool pass_on(asio::ip::tcp::socket& from, asio::ip::tcp::socket& to) {
    const std::string bytes = receive(from);
    boost::system::error_code ended;
    asio::write(to, asio::buffer(bytes), ended);
    return !bytes.empty() && !ended;
  }

  void pump() {
    for (;;) {
      std::array<pollfd, 2> readable = {pollfd{client_.native_handle(), POLLIN, 0},
                                        pollfd{server_.native_handle(), POLLIN, 0}};
      if (::poll(readable.data(), readable.size(), 20'000) <= 0) return;
      if (readable[0].revents != 0 && !pass_on(client_, server_)) return;
      if (readable[1].revents != 0 && !pass_on(server_, client_)) return;
    }
  }

  asio::io_context io_;
  asio::ip::tcp::acceptor acceptor_;
  std::uint16_t server_port_;
  asio::ip::tcp::socket client_{io_};
  asio::ip::tcp::socket server_{io_};
  std::string held_back_;
  std::thread pump_;
};

/// The random of a ServerHello that is a HelloRetryRequest begins so (RFC 8446, section 4.1.3).
constexpr std::string_view kHelloRetryRequest = "\xcf\x21\xad\x74\xe5\x9a\x61\x11";

TEST_F(ListenerRotationTest, AnUpdateBetweenTheTwoClientHellosOfARetryChangesNothingForIt) {
  Relay relay(listener.port());
  // Its first key share is for a group that the server does not have.
  test::Subprocess openssl(
      test::s_client(ca.root_file(), relay.port(), {"-tls1_3", "-groups", "ffdhe2048:X25519"}));
  const std::string answer = relay.first_answer();
  ASSERT_NE(answer.find(kHelloRetryRequest), std::string::npos) << "there was no retry";
  ASSERT_TRUE(manager->update(b));
  relay.let_go();
  openssl.write("?\n");
  const std::string seen = openssl.read_until(hex(a) + " 0000000001\n");
  EXPECT_NE(seen.find("O = A"), std::string::npos) << "the client was shown another: " << seen;
  expect_served(listener, b, 2);
}

}  // namespace
}  // namespace livetls
