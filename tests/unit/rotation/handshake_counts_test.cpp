// Handshakes are counted by how they went, for their generation and for their identity.

#include <gtest/gtest.h>

#include "livetls/pki/self_signed.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "support/engine_pair.hpp"

namespace livetls {
namespace {

using test::EnginePair;

class HandshakeCountsTest : public ::testing::Test {
 protected:
  static Certificate certificate(std::vector<std::string> names) {
    return self_signed({.names = std::move(names)}).value();
  }

  EnginePair connect(const char* name, ClientOptions options = {.insecure_skip_verify = true}) {
    EnginePair engines(TlsEngine(ClientContext::create(std::move(options)).value(),
                                 ServerName::parse(name).value()),
                       TlsEngine(std::make_shared<const ServerConfig>(
                           ServerConfig{.contexts = manager, .unknown_name = UnknownName::reject})),
                       4096);
    engines.handshake();
    return engines;
  }

  HandshakeTotals of(const std::string& name) const {
    for (const auto& identity : manager->status().identities) {
      if (identity.name == name) return identity.handshakes;
    }
    ADD_FAILURE() << name << " is not served";
    return {};
  }

  HandshakeTotals of_generation() const { return manager->generations_in_use().back().totals; }

  std::shared_ptr<CertManager> manager =
      CertManager::create(
          CertSet{.default_identity = certificate({"localhost"}),
                  .identities = {{"api.example.com", certificate({"api.example.com"})},
                                 {"*.example.com", certificate({"*.example.com"})}}})
          .value();
};

TEST_F(HandshakeCountsTest, ByHowTheNameWasFound) {
  connect("api.example.com");
  connect("a.example.com");
  connect("b.example.com");
  connect("127.0.0.1");  // which no server name is sent for
  connect("unknown.org");
  const HandshakeTotals totals = of_generation();
  EXPECT_EQ(totals.asked(NameMatch::exact), 1U);
  EXPECT_EQ(totals.asked(NameMatch::wildcard), 2U);
  EXPECT_EQ(totals.asked(NameMatch::none_asked), 1U);
  EXPECT_EQ(totals.failed(HandshakeFailure::unrecognized_name), 1U);
  EXPECT_EQ(totals.full, 4U);
  EXPECT_EQ(of("*.example.com").full, 2U);
  EXPECT_EQ(of("api.example.com").asked(NameMatch::exact), 1U);
  EXPECT_EQ(of("default").full, 1U);
}

TEST_F(HandshakeCountsTest, ByWhyTheyFailed) {
  connect("api.example.com", {.roots = TrustBundle::from_pem(certificate({"x"}).to_pem()).value()});
  { EnginePair gone = connect("a.example.com"); }
  EnginePair half(
      TlsEngine(ClientContext::create({.insecure_skip_verify = true}).value(),
                ServerName::parse("a.example.com").value()),
      TlsEngine(std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager})), 4096);
  half.client.handshake();
  half.move_bytes();
  half.server.handshake();
  half = connect("api.example.com");  // and so it is gone
  EXPECT_EQ(of("*.example.com").failed(HandshakeFailure::disconnected), 1U);
  EXPECT_EQ(of("*.example.com").full, 1U);
  EXPECT_EQ(of("api.example.com").failed(), 1U) << "the client did not trust us";
  EXPECT_EQ(of("api.example.com").full, 1U);
}

TEST_F(HandshakeCountsTest, ResumedOnesApart) {
  EnginePair first = connect("api.example.com");
  ASSERT_TRUE(EnginePair::send(first, first.server, first.client, "x"));
  EnginePair second(
      TlsEngine(ClientContext::create({.insecure_skip_verify = true}).value(),
                ServerName::parse("api.example.com").value(), first.client.session()),
      TlsEngine(std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager})), 4096);
  ASSERT_TRUE(second.handshake().done());
  EXPECT_EQ(of("api.example.com").full, 1U);
  EXPECT_EQ(of("api.example.com").resumed, 1U);
}

TEST_F(HandshakeCountsTest, ANamesCountsGoOnOverItsRenewalAndEndWithIt) {
  connect("api.example.com");
  ASSERT_TRUE(manager->set("api.example.com", certificate({"api.example.com"})));
  connect("api.example.com");
  EXPECT_EQ(of("api.example.com").full, 2U);
  EXPECT_EQ(of_generation().full, 1U) << "generations are counted each by itself";
  ASSERT_TRUE(manager->erase("api.example.com"));
  ASSERT_TRUE(manager->set("api.example.com", certificate({"api.example.com"})));
  EXPECT_EQ(of("api.example.com").full, 0U);
}

}  // namespace
}  // namespace livetls
