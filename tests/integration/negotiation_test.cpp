// What is agreed on with openssl's client: that it is what it should be, and nothing weaker.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "livetls/rotation/cert_manager.hpp"
#include "livetls/tcp/server.hpp"
#include "support/programs.hpp"
#include "support/running_runtime.hpp"
#include "support/subprocess.hpp"
#include "support/test_ca.hpp"

namespace livetls {
namespace {

using testing::HasSubstr;

Task<void> say_nothing(Connection&) { co_return; }

class Negotiation : public testing::Test {
 protected:
  /// What openssl tells about the connection, with all it offers allowed by itself.
  std::string connect(std::vector<std::string> options) {
    std::vector<std::string> command = {"openssl",
                                        "s_client",
                                        "-connect",
                                        "127.0.0.1:" + std::to_string(server_.port()),
                                        "-CAfile",
                                        ca_.root_file(),
                                        "-verify_return_error"};
    command.insert(command.end(), options.begin(), options.end());
    return test::run(command).output;
  }

  test::TestCa ca_;
  std::shared_ptr<CertManager> manager_ =
      CertManager::create(CertSet{.default_identity = ca_.issue("ecdsa"),
                                  .identities = {{"rsa.example", ca_.issue("rsa", KeyType::rsa)}}})
          .value();
  test::RunningRuntime runtime_;
  tcp::Server server_{runtime_, manager_, say_nothing};
};

TEST_F(Negotiation, PrefersX25519) {
  for (const char* version : {"-tls1_2", "-tls1_3"}) {
    EXPECT_THAT(connect({version}), HasSubstr("Server Temp Key: X25519")) << version;
  }
}

/// RFC 8446, section 4.1.1: handshake_failure, and no request for a group that was not offered.
TEST_F(Negotiation, AClientWithoutACommonGroupIsToldSo) {
  for (const char* groups : {"ffdhe2048", "X448", "ffdhe3072:X448"}) {
    const std::string output = connect({"-tls1_3", "-groups", groups});
    EXPECT_THAT(output, HasSubstr("handshake failure")) << groups;
    EXPECT_THAT(output, HasSubstr("alert number 40")) << groups;
  }
}

TEST_F(Negotiation, TheSignatureAlgorithmsChooseTheCertificate) {
  ASSERT_TRUE(manager_->update(
      {.default_identity = std::vector{ca_.issue("of-rsa", KeyType::rsa), ca_.issue("of-ecdsa"),
                                       ca_.issue("of-ed25519", KeyType::ed25519)}}));
  const auto served = [&](const char* version, const char* algorithms) {
    return connect({version, "-sigalgs", algorithms});
  };
  for (const char* version : {"-tls1_2", "-tls1_3"}) {
    EXPECT_THAT(served(version, "RSA-PSS+SHA256:ed25519:ECDSA+SHA256"), HasSubstr("O = of-ecdsa"));
    EXPECT_THAT(served(version, "RSA-PSS+SHA256:ed25519"), HasSubstr("O = of-ed25519"));
    EXPECT_THAT(served(version, "RSA-PSS+SHA256"), HasSubstr("O = of-rsa"));
    EXPECT_THAT(served(version, "RSA-PSS+SHA256"), HasSubstr("Verify return code: 0 (ok)"));
    EXPECT_THAT(served(version, "ed448"), HasSubstr("handshake failure"));
  }
  EXPECT_EQ(manager_->status().identities.front().handshakes.failed(), 2U);
}

TEST_F(Negotiation, FallsBackToTheCurvesOfNist) {
  for (const char* group : {"P-256", "P-384"}) {
    EXPECT_THAT(connect({"-groups", group}), HasSubstr("Verify return code: 0 (ok)")) << group;
  }
}

TEST_F(Negotiation, TakesEverySuiteThatIsPromised) {
  for (const char* suite : {"AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"}) {
    for (const char* key : {"ECDSA", "RSA"}) {
      const std::string name = std::string("ECDHE-") + key + "-" + suite;
      const char* server = key == std::string("RSA") ? "rsa.example" : "localhost";
      EXPECT_THAT(connect({"-tls1_2", "-cipher", name, "-servername", server}),
                  HasSubstr("Cipher is " + name));
    }
  }
  for (const char* suite :
       {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}) {
    EXPECT_THAT(connect({"-tls1_3", "-ciphersuites", suite}),
                HasSubstr("Cipher is " + std::string(suite)));
  }
}

TEST_F(Negotiation, RefusesEveryWeakSuiteThatOpensslCanOffer) {
  for (const char* suite :
       {"aNULL:@SECLEVEL=0", "eNULL:@SECLEVEL=0", "AES128-SHA", "AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES256-SHA384", "DHE-RSA-AES128-GCM-SHA256",
        "PSK:@SECLEVEL=0"}) {
    for (const char* server : {"localhost", "rsa.example"}) {
      EXPECT_THAT(connect({"-tls1_2", "-cipher", suite, "-servername", server}),
                  HasSubstr("Cipher is (NONE)"))
          << suite;
    }
  }
}

}  // namespace
}  // namespace livetls
