// What a client is served, and what is asked of it, over real handshakes in memory.

#include <gtest/gtest.h>

#include "livetls/pki/certificate_authority.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "livetls/tls/tls_engine.hpp"
#include "support/engine_pair.hpp"

namespace livetls {
namespace {

using test::EnginePair;

class IdentityTest : public ::testing::TestWithParam<TlsVersion> {
 protected:
  Certificate issue(KeyType type, std::vector<std::string> names = {"localhost"}) {
    return authority.issue({.names = std::move(names), .key_type = type}).value();
  }

  EnginePair connect(const CertSet& set, ClientOptions options = {},
                     const char* name = "localhost") {
    manager = CertManager::create(set).value();
    return connect(ServerConfig{.contexts = manager}, std::move(options), name);
  }

  EnginePair connect(ServerConfig config, ClientOptions options = {},
                     const char* name = "localhost") {
    options.roots = authority.trust_bundle();
    options.policy = {.min_version = GetParam(), .max_version = GetParam()};
    return EnginePair(TlsEngine(ClientContext::create(std::move(options)).value(),
                                ServerName::parse(name).value()),
                      TlsEngine(std::make_shared<const ServerConfig>(std::move(config))), 1024);
  }

  CertificateAuthority authority = CertificateAuthority::create().value();
  CertificateAuthority client_authority = CertificateAuthority::create().value();
  std::shared_ptr<CertManager> manager;
};

INSTANTIATE_TEST_SUITE_P(Versions, IdentityTest,
                         ::testing::Values(TlsVersion::tls1_2, TlsVersion::tls1_3));

TEST_P(IdentityTest, EcdsaIsServedBeforeRsaWhateverTheirOrder) {
  EnginePair engines =
      connect({.default_identity = std::vector{issue(KeyType::rsa), issue(KeyType::ecdsa_p256)}});
  ASSERT_TRUE(engines.handshake().done());
  EXPECT_EQ(engines.client.peer_certificate()->key_type, KeyType::ecdsa_p256);
}

TEST_P(IdentityTest, ProtocolsOfAnIdentityGoBeforeTheListeners) {
  manager = CertManager::create(
                {.default_identity = Identity(issue(KeyType::ecdsa_p256)).with_alpn({"mqtt"})})
                .value();
  EnginePair engines = connect(ServerConfig{.contexts = manager, .alpn = {"http/1.1"}},
                               {.alpn = {"http/1.1", "mqtt"}});
  ASSERT_TRUE(engines.handshake().done());
  EXPECT_EQ(engines.server.alpn(), "mqtt");
  EXPECT_EQ(engines.client.alpn(), "mqtt");
}

TEST_P(IdentityTest, NoServerNameIsRefusedWhereOneIsRequired) {
  manager = CertManager::create(issue(KeyType::ecdsa_p256, {"localhost", "127.0.0.1"})).value();
  const ServerConfig config{.contexts = manager, .missing_name = MissingName::reject};
  EXPECT_TRUE(connect(config).handshake().done());
  const auto outcome = connect(config, {}, "127.0.0.1").handshake();
  EXPECT_EQ(outcome.server.error, Errc::server_name_missing);
  EXPECT_EQ(outcome.client.error, Errc::alert_received);
}

struct AuthCase {
  ClientAuth mode;
  bool accepts_none;
  bool accepts_stranger;
};

TEST_P(IdentityTest, EachModeOfClientAuthenticationAcceptsWhatItSays) {
  const AuthCase cases[] = {{ClientAuth::none, true, true},
                            {ClientAuth::request, true, true},
                            {ClientAuth::require_any, false, true},
                            {ClientAuth::verify_if_given, true, false},
                            {ClientAuth::require_and_verify, false, false}};
  const Certificate known = client_authority.issue({.names = {"client.example"}}).value();
  const Certificate stranger = self_signed({.names = {"stranger.example"}}).value();
  for (const AuthCase& c : cases) {
    const CertSet set{.default_identity = Identity(issue(KeyType::ecdsa_p256)).with(c.mode),
                      .client_roots = client_authority.trust_bundle()};
    const std::string mode(to_string(c.mode));
    const auto accepts = [&](std::optional<Certificate> certificate) {
      EnginePair engines = connect(set, {.certificate = std::move(certificate)});
      const auto outcome = engines.handshake();
      if (outcome.server.next != TlsEngine::Step::Next::done) {
        EXPECT_TRUE(outcome.server.error == Errc::peer_untrusted ||
                    outcome.server.error == Errc::peer_sent_no_certificate)
            << mode << ": " << outcome.server.error.message();
        return false;
      }
      return true;
    };
    EXPECT_TRUE(accepts(known)) << mode;
    EXPECT_EQ(accepts(std::nullopt), c.accepts_none) << mode;
    EXPECT_EQ(accepts(stranger), c.accepts_stranger) << mode;
  }
}

TEST_P(IdentityTest, TheVerifiedPeerIsReadable) {
  const auto between = client_authority.create_intermediate({.organization = "between"}).value();
  const Certificate client = between.issue({.names = {"client.example"}}).value();
  EnginePair engines =
      connect({.default_identity =
                   Identity(issue(KeyType::ecdsa_p256)).with(ClientAuth::require_and_verify),
               .client_roots = client_authority.trust_bundle()},
              {.certificate = client});
  ASSERT_TRUE(engines.handshake().done());
  ASSERT_TRUE(engines.server.peer_is_verified());
  const auto peer = engines.server.peer_certificate();
  ASSERT_TRUE(peer.has_value());
  EXPECT_EQ(peer->fingerprint, client.leaf().fingerprint);
  EXPECT_EQ(peer->dns_names, std::vector<std::string>{"client.example"});
  EXPECT_EQ(engines.server.peer_chain().front(), client.chain().front());
  EXPECT_TRUE(engines.client.peer_is_verified());
}

TEST_P(IdentityTest, APeerThatIsOnlyRequestedIsNotCalledVerified) {
  EnginePair engines =
      connect({.default_identity = Identity(issue(KeyType::ecdsa_p256)).with(ClientAuth::request)},
              {.certificate = self_signed().value()});
  ASSERT_TRUE(engines.handshake().done());
  EXPECT_TRUE(engines.server.peer_certificate().has_value());
  EXPECT_FALSE(engines.server.peer_is_verified());
}

TEST_P(IdentityTest, TrustIsReplacedInTheSameUpdateAsCertificates) {
  const auto other_authority = CertificateAuthority::create().value();
  const Certificate old_client = client_authority.issue().value();
  const Certificate new_client = other_authority.issue().value();
  CertSet set{
      .default_identity = Identity(issue(KeyType::ecdsa_p256)).with(ClientAuth::require_and_verify),
      .client_roots = client_authority.trust_bundle()};
  EXPECT_TRUE(connect(set, {.certificate = old_client}).handshake().done());

  set.client_roots = other_authority.trust_bundle();
  ASSERT_TRUE(manager->update(set));
  const ServerConfig config{.contexts = manager};
  EXPECT_EQ(connect(config, {.certificate = old_client}).handshake().server.error,
            Errc::peer_untrusted);
  EXPECT_TRUE(connect(config, {.certificate = new_client}).handshake().done());
}

TEST(IdentityRules, VerifyingWithoutRootsIsRefused) {
  const auto refused = CertManager::create(
      {.default_identity = Identity(self_signed().value()).with(ClientAuth::verify_if_given)});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Errc::no_client_roots);
}

TEST(IdentityRules, ADefaultWeakerThanANamedIdentityIsRefused) {
  const auto authority = CertificateAuthority::create().value();
  const Certificate certificate = authority.issue().value();
  const CertSet set{.default_identity = certificate,
                    .identities = {{"internal.example",
                                    Identity(certificate).with(ClientAuth::require_and_verify)}},
                    .client_roots = authority.trust_bundle()};
  const auto refused = CertManager::create(set);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Errc::default_weaker_than_named);
  EXPECT_NE(refused.error().message().find("internal.example"), std::string::npos);
}

/// A client with nothing to show gets in where a certificate is verified if one is given.
TEST(IdentityRules, ADefaultThatIsOnlyStricterInAnotherWayIsRefusedToo) {
  const auto authority = CertificateAuthority::create().value();
  const Certificate certificate = authority.issue().value();
  const auto of = [&](ClientAuth mode) { return Identity(certificate).with(mode); };
  const auto refused =
      CertManager::create({.default_identity = of(ClientAuth::verify_if_given),
                           .identities = {{"internal.example", of(ClientAuth::require_any)}},
                           .client_roots = authority.trust_bundle()});
  EXPECT_EQ(refused.error(), Errc::default_weaker_than_named);
  for (const ClientAuth mode : {ClientAuth::none, ClientAuth::request, ClientAuth::require_any,
                                ClientAuth::verify_if_given, ClientAuth::require_and_verify}) {
    EXPECT_TRUE(is_as_strict_as(ClientAuth::require_and_verify, mode));
    EXPECT_TRUE(is_as_strict_as(mode, ClientAuth::none));
    EXPECT_TRUE(is_as_strict_as(mode, mode));
  }
  EXPECT_FALSE(is_as_strict_as(ClientAuth::require_any, ClientAuth::verify_if_given));
}

/// A ClientHello that offers just what a test says.
struct Offer {
  std::vector<std::uint8_t> schemes = {};
  std::vector<std::uint8_t> chain_schemes = {};
  std::vector<std::uint8_t> suites = {};
  std::vector<std::uint8_t> groups = {};
  std::vector<std::uint8_t> versions = {};

  ClientHello hello() const {
    ClientHello hello;
    hello.legacy_version = 0x0303;
    hello.signature_algorithms = CodePoints(schemes);
    hello.signature_algorithms_cert = CodePoints(chain_schemes);
    hello.cipher_suites = CodePoints(suites);
    hello.supported_groups = CodePoints(groups);
    hello.supported_versions = CodePoints(versions);
    return hello;
  }
};

class CertificateChoiceTest : public ::testing::Test {
 protected:
  std::shared_ptr<CertManager> manager =
      CertManager::create(
          CertSet{.default_identity =
                      std::vector{self_signed({.key_type = KeyType::rsa}).value(),
                                  self_signed({.key_type = KeyType::ecdsa_p384}).value(),
                                  self_signed().value()}})
          .value();

  std::optional<KeyType> choice(const Offer& offer) {
    const auto served = manager->select(offer.hello());
    if (!served) {
      EXPECT_EQ(served.error(), Errc::no_common_parameters);
      return std::nullopt;
    }
    return served->context->certificate().leaf().key_type;
  }

  const std::vector<std::uint8_t> tls13 = {3, 4};
  const std::vector<std::uint8_t> ecdsa_suite = {0xc0, 0x2b};
  const std::vector<std::uint8_t> rsa_suite = {0xc0, 0x2f};
  const std::vector<std::uint8_t> any_suite = {0xc0, 0x2f, 0xc0, 0x2b};
  const std::vector<std::uint8_t> p256 = {0, 23};
  const std::vector<std::uint8_t> p384 = {0, 24};
};

TEST_F(CertificateChoiceTest, InTls13TheSignatureAlgorithmsDecide) {
  EXPECT_EQ(choice({.schemes = {4, 3, 8, 4}, .versions = tls13}), KeyType::ecdsa_p256);
  EXPECT_EQ(choice({.schemes = {8, 4, 5, 3}, .versions = tls13}), KeyType::ecdsa_p384);
  EXPECT_EQ(choice({.schemes = {8, 4}, .versions = tls13}), KeyType::rsa);
  EXPECT_EQ(choice({.schemes = {4, 1}, .versions = tls13}), std::nullopt);  // PKCS#1 v1.5
  EXPECT_EQ(choice({.schemes = {8, 7}, .versions = tls13}), std::nullopt);  // Ed25519 is not there
}

TEST_F(CertificateChoiceTest, InTls12CurvesAndSuitesDecideToo) {
  const std::vector<std::uint8_t> schemes = {4, 3, 4, 1};
  EXPECT_EQ(choice({.schemes = schemes, .suites = any_suite, .groups = p256}), KeyType::ecdsa_p256);
  EXPECT_EQ(choice({.schemes = schemes, .suites = any_suite, .groups = p384}), KeyType::ecdsa_p384);
  EXPECT_EQ(choice({.schemes = schemes, .suites = rsa_suite, .groups = p256}), KeyType::rsa);
  EXPECT_EQ(choice({.schemes = {4, 1}, .suites = any_suite, .groups = p256}), KeyType::rsa);
  EXPECT_EQ(choice({.schemes = {4, 1}, .suites = ecdsa_suite, .groups = p256}), std::nullopt);
}

TEST_F(CertificateChoiceTest, AChainThatTheClientCanVerifyGoesFirst) {
  const auto by_ecdsa = CertificateAuthority::create().value();
  const auto by_rsa = CertificateAuthority::create({.key_type = KeyType::rsa}).value();
  ASSERT_TRUE(manager->update(
      {.default_identity = std::vector{by_ecdsa.issue().value(),
                                       by_rsa.issue({.key_type = KeyType::rsa}).value()}}));
  const std::vector<std::uint8_t> schemes = {4, 3, 8, 4};
  EXPECT_EQ(choice({.schemes = schemes, .versions = tls13}), KeyType::ecdsa_p256);
  EXPECT_EQ(choice({.schemes = schemes, .chain_schemes = {4, 1}, .versions = tls13}), KeyType::rsa);
  EXPECT_EQ(choice({.schemes = schemes, .chain_schemes = {8, 7}, .versions = tls13}),
            KeyType::ecdsa_p256)
      << "where there is none, it gets one all the same";
}

TEST_F(CertificateChoiceTest, Ed25519GoesToThoseWhoOfferItInEitherVersion) {
  ASSERT_TRUE(manager->update(
      {.default_identity = std::vector{self_signed({.key_type = KeyType::rsa}).value(),
                                       self_signed({.key_type = KeyType::ed25519}).value()}}));
  const std::vector<std::uint8_t> schemes = {8, 7, 8, 4, 4, 1};
  EXPECT_EQ(choice({.schemes = schemes, .versions = tls13}), KeyType::ed25519);
  EXPECT_EQ(choice({.schemes = {8, 4}, .versions = tls13}), KeyType::rsa);
  EXPECT_EQ(choice({.schemes = schemes, .suites = any_suite}), KeyType::ed25519);
  EXPECT_EQ(choice({.schemes = schemes, .suites = rsa_suite}), KeyType::rsa);
  EXPECT_EQ(choice({.schemes = {4, 1}, .suites = any_suite}), KeyType::rsa);
  EXPECT_EQ(choice({.suites = any_suite}), KeyType::rsa) << "nobody takes Ed25519 unasked";
}

}  // namespace
}  // namespace livetls
