// OCSP responses that go along with a certificate, as clients of OpenSSL see them.

#include <gtest/gtest.h>

#include <algorithm>

#include "livetls/net/listener.hpp"
#include "livetls/pki/self_signed.hpp"
#include "support/openssl_ca.hpp"
#include "support/running_runtime.hpp"
#include "support/shell.hpp"
#include "support/tell_what_is_served.hpp"

namespace livetls {
namespace {

using test::as_bytes;

class StapleTest : public ::testing::Test {
 protected:
  /// What openssl's client, which asks for a staple, says of it.
  std::string seen(const char* version) {
    return test::run_shell("/", "echo | openssl s_client -status " + std::string(version) +
                                    " -connect 127.0.0.1:" + std::to_string(listener.port()) +
                                    " -servername localhost -verify_return_error -CAfile " +
                                    ca.root_file())
        .output;
  }

  void expect_staple(bool wanted) {
    for (const char* version : {"-tls1_2", "-tls1_3"}) {
      const std::string output = seen(version);
      EXPECT_NE(output.find("Verification: OK"), std::string::npos) << output;
      const bool good = output.find("OCSP Response Status: successful") != std::string::npos &&
                        output.find("Cert Status: good") != std::string::npos;
      EXPECT_EQ(good, wanted) << version << '\n' << output;
      EXPECT_EQ(output.find("no response sent") == std::string::npos, wanted) << output;
    }
  }

  test::OpensslCa ca;
  Certificate a = ca.issue(), b = ca.issue();
  std::shared_ptr<CertManager> manager = CertManager::create(a).value();
  test::RunningRuntime runtime;
  Listener listener{runtime, manager, test::tell_what_is_served, {.address = "127.0.0.1"}};
};

TEST_F(StapleTest, IsSetAndReplacedThroughTheManager) {
  expect_staple(false);
  ASSERT_TRUE(manager->staple(as_bytes(ca.answer_about(a))));
  expect_staple(true);
  const auto receipt = manager->staple(as_bytes(ca.answer_about(a)));
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->generation, 3U);
  expect_staple(true);
}

TEST_F(StapleTest, GoesWithItsCertificateAndNotWithTheNext) {
  ASSERT_TRUE(manager->staple(as_bytes(ca.answer_about(a))));
  ASSERT_TRUE(manager->update(b));
  expect_staple(false);
}

TEST_F(StapleTest, IsNothingToRollBackToAndEndsNoTrial) {
  std::chrono::steady_clock::time_point time{};
  const auto own =
      CertManager::create({.default_identity = a}, {.steady_now = [&time] { return time; }})
          .value();
  auto plan = own->stage({.default_identity = b}).value();
  ASSERT_TRUE(plan.commit({.confirm_within = std::chrono::seconds(10)}));
  ASSERT_TRUE(own->staple(as_bytes(ca.answer_about(b))));
  EXPECT_EQ(own->certificate().leaf().fingerprint, b.leaf().fingerprint);
  time += std::chrono::seconds(10);
  own->attend();
  EXPECT_EQ(own->certificate(), a) << "not confirmed";
}

TEST_F(StapleTest, ForAnotherCertificateItIsRefused) {
  const auto refused = manager->staple(as_bytes(ca.answer_about(b)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Errc::staple_for_another_certificate);
  EXPECT_EQ(manager->generation(), 1U);
}

TEST_F(StapleTest, FromAnotherAuthorityItIsRefusedAlthoughTheNumberFits) {
  test::OpensslCa stranger;
  const Certificate same_number = stranger.issue();
  ASSERT_EQ(same_number.leaf().serial, a.leaf().serial);
  const auto refused = manager->staple(as_bytes(stranger.answer_about(same_number)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Errc::staple_unusable);
}

TEST_F(StapleTest, AStrangersCertificateWithTheSameNumberDoesNotStandInTheWay) {
  test::OpensslCa stranger;
  const Certificate same_number = stranger.issue();
  ASSERT_EQ(same_number.leaf().serial, a.leaf().serial);
  ASSERT_TRUE(manager->set("other.example", same_number));
  ASSERT_TRUE(manager->staple(as_bytes(ca.answer_about(a))));
  expect_staple(true);
}

TEST_F(StapleTest, OneThatSaysRevokedIsRefused) {
  EXPECT_EQ(manager->staple(as_bytes(ca.answer_about(a, 'R'))).error(), Errc::staple_not_good);
}

TEST_F(StapleTest, WithAChangedByteItIsRefused) {
  const std::string answer = ca.answer_about(a);
  for (std::size_t i = 0; i < answer.size(); i += 17) {
    std::string broken = answer;
    broken[i] = static_cast<char>(broken[i] ^ 0x40);
    const auto receipt = manager->staple(as_bytes(broken));
    if (receipt) ADD_FAILURE() << "byte " << i << " does not matter";
  }
  EXPECT_EQ(manager->staple({}).error(), Errc::staple_malformed);
}

TEST_F(StapleTest, OneThatIsStaleIsRefused) {
  const std::string answer = ca.answer_about(a);
  const auto later = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) +
                     std::chrono::hours(2);
  const auto in_two_hours =
      CertManager::create({.default_identity = a}, {.now = [later] { return later; }}).value();
  EXPECT_EQ(in_two_hours->staple(as_bytes(answer)).error(), Errc::staple_stale);
}

TEST_F(StapleTest, OneThatBecomesStaleIsTold) {
  std::chrono::sys_seconds time =
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto own =
      CertManager::create({.default_identity = a}, {.now = [&time] { return time; }}).value();
  ASSERT_TRUE(own->staple(as_bytes(ca.answer_about(a))));
  const auto until = own->status().identities.front().certificates.front().staple_until;
  ASSERT_TRUE(until.has_value());
  const auto told = [&] {
    own->attend();
    return std::ranges::count(own->status().events, EventKind::staple_stale, &Event::kind);
  };
  EXPECT_EQ(told(), 0);
  time = *until + std::chrono::seconds(1);
  EXPECT_EQ(told(), 1);
  EXPECT_EQ(told(), 1) << "once";
}

TEST_F(StapleTest, WithoutTheIssuerInTheChainItIsRefused) {
  const auto leaf =
      Certificate::from_parts({a.chain()[0]}, PrivateKey::from_der(a.private_key().der()).value());
  ASSERT_TRUE(manager->update(*leaf));
  EXPECT_EQ(manager->staple(as_bytes(ca.answer_about(a))).error(), Errc::staple_unusable);
}

}  // namespace
}  // namespace livetls
