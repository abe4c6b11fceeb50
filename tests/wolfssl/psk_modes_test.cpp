// A session is resumed with a fresh secret beside the pre-shared key, or not at all (RFC 8446,
// section 4.2.9).

#include <gtest/gtest.h>

#include "livetls/pki/certificate_authority.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "wolfssl/raw_end.hpp"

namespace livetls {
namespace {

using namespace test;

class PskModesTest : public testing::Test {
 protected:
  using Session = std::unique_ptr<WOLFSSL_SESSION, wolfssl::Deleter<wolfSSL_SESSION_free>>;

  /// A session with a ticket of ours.
  Session session() {
    TlsEngine server(config);
    RawEnd client(client_ctx);
    must(meet(server, client).established(), "a handshake");
    must(server.write(boost::asio::buffer("x", 1)).next == TlsEngine::Step::Next::done, "a byte");
    client.input += take_from(server);
    char byte;
    must(wolfSSL_read(client.ssl.get(), &byte, 1) == 1, "the byte, and the ticket before it");
    return Session(wolfSSL_get1_session(client.ssl.get()));
  }

  /// Whether a client resumes that offers its ticket with the pre-shared key alone, or as usual.
  bool resumes(const Session& with, bool with_key_alone) {
    TlsEngine server(config);
    RawEnd client(client_ctx);
    if (with_key_alone) must(wolfSSL_no_dhe_psk(client.ssl.get()) == 0, "psk_ke");
    must(wolfSSL_set_session(client.ssl.get(), with.get()) == WOLFSSL_SUCCESS, "a session");
    return meet(server, client).established() && server.resumed();
  }

  CertificateAuthority authority = CertificateAuthority::create().value();
  std::shared_ptr<const ServerConfig> config = std::make_shared<const ServerConfig>(
      ServerConfig{.contexts = CertManager::create(authority.issue().value()).value()});
  CtxPtr client_ctx = test::client_ctx(TlsVersion::tls1_3, authority.trust_bundle());
};

TEST_F(PskModesTest, ThePreSharedKeyAloneResumesNothing) {
  if (LIBWOLFSSL_VERSION_HEX < 0x05007000) GTEST_SKIP() << "the library cannot be told";
  const Session with = session();
  EXPECT_TRUE(resumes(with, false));
  EXPECT_FALSE(resumes(with, true));
}

}  // namespace
}  // namespace livetls
