#include "livetls/pki/certificate_authority.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/shell.hpp"
#include "support/temporary_directory.hpp"

namespace livetls {
namespace {

using namespace std::chrono;
using test::run_shell;
using test::ShellResult;
using test::TemporaryDirectory;

/// What openssl says to `certificate` when it trusts only `root`.
ShellResult verify(const Certificate& certificate, const std::string& root,
                   const std::string& options = "-purpose sslserver -verify_hostname localhost") {
  const TemporaryDirectory directory;
  directory.write("root.pem", root);
  directory.write("chain.pem", certificate.to_pem());
  return run_shell(directory.path(), "openssl verify -x509_strict -no-CApath -no-CAstore " +
                                         options +
                                         " -CAfile root.pem -untrusted chain.pem chain.pem");
}

TEST(CertificateAuthority, OpensslAcceptsWhatItIssues) {
  for (const auto type : {KeyType::ecdsa_p256, KeyType::ecdsa_p384, KeyType::ecdsa_p521,
                          KeyType::rsa, KeyType::ed25519}) {
    SCOPED_TRACE(to_string(type));
    const auto authority = CertificateAuthority::create({.key_type = type});
    ASSERT_TRUE(authority) << authority.error().message();
    const auto certificate = authority->issue();
    ASSERT_TRUE(certificate) << certificate.error().message();
    EXPECT_EQ(certificate->chain().size(), 1u) << "clients have the root already";
    EXPECT_EQ(certificate->leaf().key_type, KeyType::ecdsa_p256);

    for (const auto* options : {"-purpose sslserver -verify_hostname localhost",
                                "-purpose sslserver -verify_ip 127.0.0.1", "-purpose sslclient"}) {
      const auto result = verify(*certificate, authority->root_pem(), options);
      EXPECT_EQ(result.status, 0) << result.output;
    }
    EXPECT_NE(verify(*certificate, authority->root_pem(), "-verify_hostname other.example").status,
              0);
  }
}

TEST(CertificateAuthority, AnotherRootDoesNotVouchForIt) {
  const auto authority = CertificateAuthority::create().value();
  const auto stranger = CertificateAuthority::create().value();
  const auto certificate = authority.issue().value();
  EXPECT_EQ(verify(certificate, authority.root_pem()).status, 0);
  EXPECT_NE(verify(certificate, stranger.root_pem()).status, 0);
}

TEST(CertificateAuthority, IntermediatesStandInTheChainInOrder) {
  const auto root = CertificateAuthority::create({.key_type = KeyType::rsa}).value();
  const auto middle = root.create_intermediate({.key_type = KeyType::ecdsa_p384}).value();
  const auto lower = middle.create_intermediate({.organization = "lower"}).value();
  const auto certificate = lower.issue({.key_type = KeyType::ed25519}).value();

  ASSERT_EQ(certificate.chain().size(), 3u);
  std::string issuer = certificate.leaf().issuer;
  for (const auto& der : certificate.chain().subspan(1)) {
    const auto info = CertificateInfo::from_der(der).value();
    EXPECT_TRUE(info.is_ca);
    EXPECT_EQ(info.subject, issuer);
    issuer = info.issuer;
  }
  const auto root_info = CertificateInfo::from_der(root.trust_bundle().certificates()[0]).value();
  EXPECT_EQ(issuer, root_info.subject);

  const auto result = verify(certificate, root.root_pem());
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_NE(verify(certificate, CertificateAuthority::create()->root_pem()).status, 0);
  EXPECT_EQ(lower.root_pem(), root.root_pem());
  EXPECT_EQ(lower.trust_bundle(), root.trust_bundle());
}

TEST(CertificateAuthority, AuthoritiesOfOneOrganizationHaveDifferentNames) {
  const auto root = CertificateAuthority::create().value();
  const auto middle = root.create_intermediate({}).value();
  EXPECT_NE(root.issue()->leaf().issuer, middle.issue()->leaf().issuer);
}

TEST(CertificateAuthority, TheRootIsACertificateAuthorityAndTheLeafIsNot) {
  const sys_seconds now = sys_days{2024y / January / 1};
  const auto authority = CertificateAuthority::create({.lifetime = days{10}, .now = now}).value();
  const auto bundle = authority.trust_bundle();
  ASSERT_EQ(bundle.certificates().size(), 1u);
  const auto info = CertificateInfo::from_der(bundle.certificates()[0]).value();
  EXPECT_TRUE(info.is_ca);
  EXPECT_EQ(info.issuer, info.subject);
  EXPECT_EQ(info.not_before, now - minutes{5});
  EXPECT_EQ(info.not_after, now + days{10});
  EXPECT_FALSE(authority.issue()->leaf().is_ca);
}

TEST(CertificateAuthority, IssuesForAKeyThatExists) {
  const auto authority = CertificateAuthority::create().value();
  auto key = PrivateKey::generate(KeyType::ecdsa_p384).value();
  const std::vector public_key(key.public_key_der().begin(), key.public_key_der().end());
  const auto certificate = authority.issue({.key_type = KeyType::ecdsa_p384}, std::move(key));
  ASSERT_TRUE(certificate) << certificate.error().message();
  EXPECT_TRUE(std::ranges::equal(certificate->private_key().public_key_der(), public_key));
  EXPECT_EQ(verify(*certificate, authority.root_pem()).status, 0);

  const auto refused = authority.issue({.key_type = KeyType::ecdsa_p256},
                                       PrivateKey::generate(KeyType::ed25519).value());
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error() == Errc::key_mismatch);
  EXPECT_EQ(refused.error().context, "Ed25519 key where ECDSA P-256 was requested");
}

TEST(CertificateAuthority, ExpiredCertificatesAreExpiredForOpensslToo) {
  const auto authority = CertificateAuthority::create().value();
  const auto certificate = authority.issue({.lifetime = seconds{-60}}).value();
  const auto result = verify(certificate, authority.root_pem());
  EXPECT_NE(result.status, 0);
  EXPECT_NE(result.output.find("expired"), std::string::npos) << result.output;
}

TEST(CertificateAuthority, RefusesWhatIsNoName) {
  const auto certificate = CertificateAuthority::create()->issue({.names = {"*.com"}});
  ASSERT_FALSE(certificate);
  EXPECT_TRUE(certificate.error() == Errc::invalid_server_name);
}

}  // namespace
}  // namespace livetls
