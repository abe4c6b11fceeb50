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

TEST_P(NameConstraintsTest, OfDnsNamesAndAddressesAreEnforced) {
  hierarchy.ca("names", "root", "critical,permitted;DNS:good.example");
  hierarchy.ca("addresses", "root", "critical,permitted;IP:10.0.0.0/255.0.0.0");
  hierarchy.leaf("inside", "names", "DNS:good.example,DNS:a.good.example");
  hierarchy.leaf("outside", "names", "DNS:good.example,DNS:notgood.example");
  hierarchy.leaf("here", "addresses", "DNS:good.example,IP:10.1.2.3");
  hierarchy.leaf("elsewhere", "addresses", "DNS:good.example,IP:11.1.2.3");
  expect({}, {"inside", "names"}, "root");
  expect({}, {"here", "addresses"}, "root");
  expect(Errc::peer_untrusted, {"outside", "names"}, "root");
  expect(Errc::peer_untrusted, {"elsewhere", "addresses"}, "root");
}

TEST_P(NameConstraintsTest, OfOtherTypesAreEnforcedOrRefused) {
  hierarchy.ca("uri", "root", "permitted;URI:.good.example");
  hierarchy.ca("email", "email", "critical,permitted;email:good.example");
  hierarchy.ca("id", "root", "permitted;RID:1.2.3");
  hierarchy.leaf("below-uri", "uri", "DNS:good.example,URI:spiffe://evil.example/x");
  hierarchy.leaf("below-email", "email");
  hierarchy.leaf("below-id", "id", "DNS:good.example,RID:1.2.3");
  expect(Errc::peer_untrusted, {"below-uri", "uri"}, "root");
  expect({}, {"below-email"}, "email");
  expect(Errc::unenforced_name_constraints, {"below-id", "id"}, "root");
}

TEST_P(NameConstraintsTest, FurtherUpAreEnforced) {
  hierarchy.ca("upper", "root", "critical,permitted;DNS:other.example");
  hierarchy.issue("middle", "upper",
                  "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n"
                  "subjectAltName=DNS:a.other.example\n");
  hierarchy.leaf("end", "middle");
  expect(Errc::peer_untrusted, {"end", "middle", "upper"}, "root");
}

/// The library keeps the intermediates of a connection for the next one.
TEST_P(NameConstraintsTest, AreNotEscapedByAnIntermediateOfAnotherConnection) {
  hierarchy.ca("middle", "root", "critical,permitted;DNS:other.example");
  hierarchy.issue_as("root", "hidden", "middle");
  hierarchy.leaf("end", "hidden");
  const auto context = ClientContext::create(
                           {.roots = hierarchy.roots({"root"}), .policy = {GetParam(), GetParam()}})
                           .value();
  for (const std::vector<std::string>& chain :
       {std::vector<std::string>{"end", "hidden", "middle"}, {"end", "hidden"}, {"end"}}) {
    const auto manager = CertManager::create(hierarchy.chain(chain)).value();
    EnginePair engines(
        TlsEngine(context, ServerName::parse("good.example").value()),
        TlsEngine(std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager})), 4096);
    EXPECT_EQ(engines.handshake().client.error, Errc::peer_untrusted) << chain.size();
  }
}

}  // namespace
}  // namespace livetls
