// What keys are agreed on by: with ML-KEM where the library has it, with X25519 else.

#include <gtest/gtest.h>

#include "livetls/pki/certificate_authority.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "support/engine_pair.hpp"
#include "wolfssl/wolfssl.hpp"

namespace livetls {
namespace {

class GroupsTest : public testing::Test {
 protected:
  /// Of a connection between two sides with all that they have.
  test::EnginePair connect(TlsVersion version) {
    const TlsPolicy only{.min_version = version, .max_version = version};
    auto client =
        ClientContext::create({.roots = authority_.trust_bundle(), .policy = only}).value();
    test::EnginePair pair(
        TlsEngine(std::move(client), ServerName::parse("localhost").value()),
        TlsEngine(std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager_})), 4096);
    EXPECT_TRUE(pair.handshake().done());
    return pair;
  }

  CertificateAuthority authority_ = CertificateAuthority::create().value();
  std::shared_ptr<CertManager> manager_ = CertManager::create(authority_.issue({}).value()).value();
};

TEST_F(GroupsTest, Tls13AgreesOnTheHybridOfMlKemWhereTheLibraryHasIt) {
#ifdef WOLFSSL_PQC_HYBRIDS
  constexpr std::string_view kGroup = "X25519MLKEM768";
#else
  constexpr std::string_view kGroup = "X25519";
#endif
  const test::EnginePair pair = connect(TlsVersion::tls1_3);
  EXPECT_EQ(pair.server.group(), kGroup);
  EXPECT_EQ(pair.client.group(), kGroup);
}

TEST_F(GroupsTest, Tls12AgreesOnX25519) {
  EXPECT_EQ(connect(TlsVersion::tls1_2).server.group(), "X25519");
}

}  // namespace
}  // namespace livetls
