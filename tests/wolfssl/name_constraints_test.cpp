// Name constraints that the library does not enforce end the handshake, whichever side presents the
// chain, instead of being ignored.

#include <gtest/gtest.h>

#include "livetls/base/error.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "support/engine_pair.hpp"
#include "support/openssl_hierarchy.hpp"

namespace livetls {
namespace {

using test::EnginePair;

class NameConstraintsTest : public testing::TestWithParam<TlsVersion> {
 protected:
  NameConstraintsTest() {
    hierarchy.ca("root", "root");
    hierarchy.leaf("server", "root");
  }

  /// As a server's chain, and as a client's: how the other side takes it.
  void expect(boost::system::error_code outcome, const std::vector<std::string>& chain,
              const std::string& trusted) {
    const Certificate certificate = hierarchy.chain(chain);
    EXPECT_EQ(connect(certificate, trusted, {}).client.error, outcome) << chain.front();
    EXPECT_EQ(connect(hierarchy.chain({"server"}), trusted, certificate).server.error, outcome)
        << chain.front();
  }

  EnginePair::Outcome connect(const Certificate& server, const std::string& trusted,
                              std::optional<Certificate> client) {
    const bool asks = client.has_value();
    const auto context = ClientContext::create({.roots = hierarchy.roots({"root", trusted}),
                                                .policy = {GetParam(), GetParam()},
                                                .certificate = std::move(client)})
                             .value();
    const Identity identity(server);
    const auto manager =
        CertManager::create(
            {.default_identity =
                 asks ? Identity(server).with(ClientAuth::require_and_verify) : identity,
             .client_roots = hierarchy.roots({trusted})})
            .value();
    EnginePair engines(
        TlsEngine(context, ServerName::parse("good.example").value()),
        TlsEngine(std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager})), 4096);
    return engines.handshake();
  }

  test::OpensslHierarchy hierarchy;
};

INSTANTIATE_TEST_SUITE_P(Versions, NameConstraintsTest,
                         testing::Values(TlsVersion::tls1_2, TlsVersion::tls1_3));

TEST_P(NameConstraintsTest, OfTheIssuerAreEnforcedWhereTheyAreOfDnsNames) {
  hierarchy.ca("middle", "root", "critical,permitted;DNS:good.example");
  hierarchy.leaf("inside", "middle");
  hierarchy.leaf("outside", "middle", "DNS:good.example,DNS:evil.example");
  expect({}, {"inside", "middle"}, "root");
  const auto refused = connect(hierarchy.chain({"outside", "middle"}), "root", {});
  EXPECT_EQ(refused.client.error, Errc::peer_untrusted);
}

TEST_P(NameConstraintsTest, OfOtherTypesAreRefused) {
  hierarchy.ca("uri", "root", "permitted;URI:.good.example");
  hierarchy.ca("address", "address", "critical,permitted;IP:10.0.0.0/255.0.0.0");
  hierarchy.leaf("below-uri", "uri", "DNS:good.example,URI:spiffe://evil.example/x");
  hierarchy.leaf("below-address", "address", "DNS:good.example,IP:192.0.2.1");
  expect(Errc::unenforced_name_constraints, {"below-uri", "uri"}, "root");
  expect(Errc::unenforced_name_constraints, {"below-address"}, "address");
}

TEST_P(NameConstraintsTest, FurtherUpAreRefused) {
  hierarchy.ca("upper", "root", "critical,permitted;email:other.example");
  hierarchy.ca("middle", "upper");
  hierarchy.leaf("end", "middle");
  expect(Errc::unenforced_name_constraints, {"end", "middle", "upper"}, "root");
}

}  // namespace
}  // namespace livetls
