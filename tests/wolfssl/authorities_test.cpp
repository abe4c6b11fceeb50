// The names of the authorities whose certificates a server takes, as openssl's client sees them in
// the request for a certificate (RFC 8446, section 4.2.4; RFC 5246, section 7.4.4).

#include <gtest/gtest.h>

#include "livetls/net/listener.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "support/running_runtime.hpp"
#include "support/shell.hpp"
#include "support/tell_what_is_served.hpp"
#include "support/test_ca.hpp"
#include "support/tls_client.hpp"
#include "wolfssl/raw_pair.hpp"

namespace livetls {
namespace {

constexpr bool kNamesAuthoritiesInTls13 = LIBWOLFSSL_VERSION_HEX >= 0x05007000;

class AuthoritiesTest : public ::testing::TestWithParam<const char*> {
 protected:
  static CertificateAuthority authority(const char* organization) {
    return CertificateAuthority::create({.organization = organization}).value();
  }

  CertSet trusting(const CertificateAuthority& clients) const {
    return {.default_identity = Identity(certificate).with(ClientAuth::verify_if_given),
            .client_roots = clients.trust_bundle()};
  }

  std::string seen(const Listener& listener) const {
    return test::run_shell("/", "echo | openssl s_client -connect 127.0.0.1:" +
                                    std::to_string(listener.port()) + " " + GetParam())
        .output;
  }

  test::TestCa ca;
  Certificate certificate = ca.issue("server");
};

INSTANTIATE_TEST_SUITE_P(Versions, AuthoritiesTest, ::testing::Values("-tls1_2", "-tls1_3"));

TEST_P(AuthoritiesTest, AreNamedInTheRequestAndReplacedWithTheTrustBundle) {
  const auto first = authority("First"), second = authority("Second");
  const auto manager = CertManager::create(trusting(first)).value();
  test::RunningRuntime runtime;
  Listener listener(runtime, manager, test::tell_what_is_served, {.address = "127.0.0.1"});
  const auto names = [&](const std::string& output, const char* organization) {
    const auto list = output.find("Acceptable client certificate CA names");
    return list != std::string::npos && output.find(organization, list) != std::string::npos;
  };
  const bool are_named = kNamesAuthoritiesInTls13 || GetParam() == std::string("-tls1_2");
  const std::string before = seen(listener);
  EXPECT_EQ(names(before, "O = First"), are_named) << before;
  ASSERT_TRUE(manager->update(trusting(second)));
  const std::string after = seen(listener);
  EXPECT_EQ(names(after, "O = Second"), are_named) << after;
  EXPECT_FALSE(names(after, "O = First"));
}

/// The library would put them all into one record, and write beyond it.
TEST_P(AuthoritiesTest, AreNotNamedWhereTheyWouldNotFit) {
  std::string pem;
  CertificateAuthority last = authority("Last");
  for (int i = 0; i < 120; ++i) {
    last = authority((std::string(100, 'x') + std::to_string(i)).c_str());
    pem += last.root_pem();
  }
  const TrustBundle many = TrustBundle::from_pem(pem).value();
  ASSERT_GT(many.subject_bytes(), 12'000U);
  const auto manager =
      CertManager::create(
          {.default_identity = Identity(certificate).with(ClientAuth::require_and_verify),
           .client_roots = many})
          .value();
  test::RunningRuntime runtime;
  Listener listener(runtime, manager, test::tell_what_is_served, {.address = "127.0.0.1"});
  const TlsVersion version =
      GetParam() == std::string("-tls1_2") ? TlsVersion::tls1_2 : TlsVersion::tls1_3;
  auto client = test::tls_client(
      listener.port(),
      {.roots = ca.roots(), .policy = {version, version}, .certificate = last.issue().value()});
  EXPECT_EQ(test::ask_what_was_served(client).generation, 1U);
  EXPECT_EQ(seen(listener).find("Acceptable client certificate CA names"), std::string::npos);
}

}  // namespace
}  // namespace livetls
