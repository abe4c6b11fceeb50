#include "integration/websocket_test.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "support/test_ca.hpp"

namespace livetls::web {
namespace {

class SecureWebSockets : public WebSockets {
 protected:
  using Secure = WebSocketClient<TlsStream<TcpSocket>>;

  /// The subject of the certificate that the server presents. The WebSocket's handshake is still to
  /// come.
  std::string connect_with_tls(Secure& client) {
    auto& transport = client.stream().next_layer();
    EXPECT_FALSE(
        transport.complete([&](auto token) { transport.stream().async_handshake(token); }));
    return transport.stream().tls().peer_certificate()->subject;
  }

  const test::TestCa ca_;
  const std::shared_ptr<CertManager> manager_ = CertManager::create(ca_.issue("first")).value();
  Server secure_{runtime_, manager_, sockets()};
  const std::shared_ptr<const ClientContext> context_ =
      ClientContext::create({.roots = ca_.roots()}).value();
  const ServerName name_ = ServerName::parse("localhost").value();
};

TEST_F(SecureWebSockets, GoOnWhenTheCertificateChanges) {
  Secure before(secure_.port(), context_, name_), after(secure_.port(), context_, name_);
  EXPECT_THAT(connect_with_tls(before), HasSubstr("first"));
  EXPECT_FALSE(before.handshake());
  ASSERT_TRUE(manager_->update(ca_.issue("second")));
  EXPECT_THAT(connect_with_tls(after), HasSubstr("second"));
  EXPECT_FALSE(after.handshake());
  for (Secure* client : {&before, &after}) {
    EXPECT_FALSE(client->send("still here"));
    EXPECT_EQ(client->receive(), "still here");
  }
}

TEST_F(SecureWebSockets, RefusePagesOfTheirHostThatCameWithoutTls) {
  const auto status_for = [&](const std::string& origin) {
    Secure client(secure_.port(), context_, name_);
    connect_with_tls(client);
    client.handshake("/echo", origin);
    return client.status();
  };
  EXPECT_EQ(status_for("https://localhost"), 101);
  EXPECT_EQ(status_for("http://localhost"), 403);
}

}  // namespace
}  // namespace livetls::web
