// One CertManager, a web server and a TCP server, and the clients that people have: curl and
// openssl.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "livetls/rotation/cert_manager.hpp"
#include "livetls/tcp/server.hpp"
#include "livetls/web/server.hpp"
#include "support/http_client.hpp"
#include "support/programs.hpp"
#include "support/running_runtime.hpp"
#include "support/test_ca.hpp"

namespace livetls {
namespace {

using test::Subprocess;
using testing::HasSubstr;
using testing::Not;

/// What this connection was served, as the server knows it.
std::string served(const Connection& connection) {
  return connection.certificate()->leaf().subject + " generation " +
         std::to_string(connection.generation());
}

/// Answers every line with what the connection was served.
Task<void> tell_served(Connection& connection) {
  std::array<char, 256> line;
  for (;;) {
    const auto bytes = co_await connection.read_some(boost::asio::buffer(line));
    if (!bytes || *bytes == 0) co_return;
    const auto sent = co_await connection.write(served(connection) + "\n");
    if (!sent) co_return;
  }
}

web::Router router() {
  web::Router router;
  router.get("/served", [](web::Request& request) {
    return web::Response::text(served(request.connection()) + "\n");
  });
  return router;
}

const std::string kAskServed = "GET /served HTTP/1.1\r\nHost: localhost\r\n\r\n";

class Rotation : public testing::TestWithParam<const char*> {
 protected:
  std::string told_to_curl() {
    const bool old = std::string(GetParam()) == "-tls1_2";
    const auto options =
        old ? std::vector<std::string>{"--tls-max", "1.2"} : std::vector<std::string>{"--tlsv1.3"};
    const auto result = test::run(test::curl(ca_.root_file(), url(), options));
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return result.output;
  }

  std::vector<std::string> s_client(std::uint16_t port) {
    return test::s_client(ca_.root_file(), port, {GetParam()});
  }

  std::string url() { return "https://localhost:" + std::to_string(web_.port()) + "/served"; }

  test::TestCa ca_;
  std::shared_ptr<CertManager> manager_ = CertManager::create(ca_.issue("first")).value();
  test::RunningRuntime runtime_;
  web::Server web_{runtime_, manager_, router()};
  tcp::Server tcp_{runtime_, manager_, tell_served};
};

TEST_P(Rotation, NextConnectionsGetTheNewCertificateAndOpenOnesKeepTheirs) {
  EXPECT_THAT(told_to_curl(), HasSubstr("O=first"));
  Subprocess old_web(s_client(web_.port()));
  old_web.write(kAskServed);
  EXPECT_THAT(old_web.read_until("generation 1\n"), HasSubstr("O = first"));
  Subprocess old_tcp(s_client(tcp_.port()));
  old_tcp.write("?\n");
  EXPECT_THAT(old_tcp.read_until("generation 1\n"), HasSubstr("O = first"));

  const auto receipt = manager_->update(ca_.issue("second", KeyType::rsa));
  ASSERT_TRUE(receipt) << receipt.error().message();
  EXPECT_EQ(receipt->generation, 2U);

  EXPECT_THAT(told_to_curl(), HasSubstr("O=second"));
  Subprocess new_web(s_client(web_.port()));
  new_web.write(kAskServed);
  EXPECT_THAT(new_web.read_until("generation 2\n"), HasSubstr("O = second"));
  Subprocess new_tcp(s_client(tcp_.port()));
  new_tcp.write("?\n");
  EXPECT_THAT(new_tcp.read_until("generation 2\n"), HasSubstr("O = second"));

  old_web.write(kAskServed);
  EXPECT_THAT(old_web.read_until("generation 1\n"), HasSubstr("O=first"));
  old_tcp.write("?\n");
  EXPECT_THAT(old_tcp.read_until("generation 1\n"), HasSubstr("O=first"));
  EXPECT_EQ(old_tcp.wait().exit_code, 0);
}

TEST_P(Rotation, GoesOnThroughKeyTypesAndBack) {
  int generation = 1;
  for (const KeyType type :
       {KeyType::rsa, KeyType::ecdsa_p384, KeyType::ecdsa_p256, KeyType::rsa}) {
    const std::string organization = "number " + std::to_string(++generation);
    ASSERT_TRUE(manager_->update(ca_.issue(organization, type)));
    EXPECT_THAT(told_to_curl(), HasSubstr("O=" + organization));
    Subprocess tcp(s_client(tcp_.port()));
    tcp.write("?\n");
    EXPECT_THAT(tcp.read_until("generation " + std::to_string(generation) + "\n"),
                HasSubstr("O=" + organization));
  }
}

TEST_P(Rotation, ARefusedUpdateChangesNothing) {
  const auto long_ago = std::chrono::sys_days(std::chrono::year(2020) / 1 / 1);
  const Certificate expired = self_signed({.organization = "expired", .now = long_ago}).value();
  const auto receipt = manager_->update(expired);
  ASSERT_FALSE(receipt);
  EXPECT_EQ(receipt.error(), Errc::certificate_expired);
  EXPECT_THAT(told_to_curl(), HasSubstr("O=first"));
}

TEST_P(Rotation, ClientsThatTrustAnotherRootRefuseBoth) {
  const test::TestCa other;
  const auto from_curl = test::run(test::curl(other.root_file(), url()));
  EXPECT_EQ(from_curl.exit_code, 60) << from_curl.output;
  const auto from_openssl = test::run(test::s_client(other.root_file(), tcp_.port(), {GetParam()}));
  EXPECT_NE(from_openssl.exit_code, 0) << from_openssl.output;
}

INSTANTIATE_TEST_SUITE_P(Tls, Rotation, testing::Values("-tls1_2", "-tls1_3"),
                         [](const auto& test) { return std::string(test.param).substr(1); });

}  // namespace
}  // namespace livetls
