#include "livetls/pki/self_signed.hpp"

#include <gtest/gtest.h>

#include "support/shell.hpp"
#include "support/temporary_directory.hpp"

namespace livetls {
namespace {

using namespace std::chrono;
using test::must_run;
using test::run_shell;
using test::TemporaryDirectory;

constexpr KeyType kKeyTypes[] = {KeyType::ecdsa_p256, KeyType::ecdsa_p384, KeyType::ecdsa_p521,
                                 KeyType::rsa, KeyType::ed25519};

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

std::string openssl_text(const Certificate& certificate) {
  const TemporaryDirectory directory;
  directory.write("cert.pem", certificate.to_pem());
  return must_run(directory.path(), "openssl x509 -in cert.pem -noout -text");
}

TEST(SelfSigned, IsVerifiedByOpenssl) {
  for (const auto type : kKeyTypes) {
    SCOPED_TRACE(to_string(type));
    const auto certificate = self_signed({.key_type = type});
    ASSERT_TRUE(certificate) << certificate.error().message();
    EXPECT_EQ(certificate->leaf().key_type, type);

    const TemporaryDirectory directory;
    directory.write("cert.pem", certificate->to_pem());
    for (const auto* purpose : {"-purpose sslserver -verify_hostname localhost",
                                "-purpose sslserver -verify_ip ::1", "-purpose sslclient"}) {
      const auto result =
          run_shell(directory.path(), std::string("openssl verify -x509_strict -check_ss_sig "
                                                  "-CAfile cert.pem ") +
                                          purpose + " cert.pem");
      EXPECT_EQ(result.status, 0) << result.output;
    }
  }
}

TEST(SelfSigned, SaysWhatBrowsersAskFor) {
  const auto certificate = self_signed();
  ASSERT_TRUE(certificate) << certificate.error().message();
  const auto text = openssl_text(*certificate);
  for (const auto* part :
       {"Version: 3", "ecdsa-with-SHA256", "Subject: O = livetls, CN = localhost",
        "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1",
        "TLS Web Server Authentication, TLS Web Client Authentication",
        "Key Usage: critical\n                Digital Signature\n",
        "Basic Constraints: critical\n                CA:FALSE", "Subject Key Identifier",
        "Authority Key Identifier"}) {
    EXPECT_TRUE(contains(text, part)) << part << " is not in\n" << text;
  }
  EXPECT_EQ(certificate->leaf().dns_names, std::vector<std::string>{"localhost"});
  EXPECT_EQ(certificate->leaf().ip_names, (std::vector<std::string>{"127.0.0.1", "::1"}));
  EXPECT_FALSE(certificate->leaf().is_ca);
  EXPECT_EQ(certificate->chain().size(), 1u);
}

TEST(SelfSigned, RsaMayAlsoEncipherKeys) {
  const auto text = openssl_text(self_signed({.key_type = KeyType::rsa}).value());
  EXPECT_TRUE(contains(text, "Digital Signature, Key Encipherment\n")) << text;
  EXPECT_TRUE(contains(text, "sha256WithRSAEncryption")) << text;
}

TEST(SelfSigned, SerialsAreRandomAndPositive) {
  std::string previous;
  for (int count = 0; count < 20; ++count) {
    const auto certificate = self_signed();
    ASSERT_TRUE(certificate) << certificate.error().message();
    const auto serial = certificate->leaf().serial;
    EXPECT_EQ(serial.size(), 32u) << serial;
    EXPECT_LT(serial.front(), '8') << serial;
    EXPECT_NE(serial, previous);
    previous = serial;
  }
}

TEST(SelfSigned, IsValidFromFiveMinutesAgo) {
  const sys_seconds now = sys_days{2024y / February / 29};
  const auto leaf = self_signed({.lifetime = hours{1}, .now = now})->leaf();
  EXPECT_EQ(leaf.not_before, now - minutes{5});
  EXPECT_EQ(leaf.not_after, now + hours{1});

  const auto before = floor<seconds>(system_clock::now());
  const auto current = self_signed()->leaf();
  EXPECT_GE(current.not_before, before - minutes{5});
  EXPECT_LE(current.not_before, system_clock::now() - minutes{5});
  EXPECT_EQ(current.not_after - current.not_before, days{30} + minutes{5});
}

TEST(SelfSigned, TimesOfEveryCentury) {
  const struct {
    sys_seconds now;
    seconds lifetime;
    std::string expected_end;
  } cases[] = {
      {sys_days{2049y / December / 31}, 24h - 1s, "2049-12-31 23:59:59Z"},
      {sys_days{2049y / December / 31}, 24h, "2050-01-01 00:00:00Z"},
      {sys_days{1999y / December / 31}, 24h, "2000-01-01 00:00:00Z"},
      {sys_days{2024y / January / 1}, seconds::max(), "9999-12-31 23:59:59Z"},
      {sys_days{2024y / January / 2}, -24h, "2024-01-01 00:00:00Z"},
  };
  for (const auto& [now, lifetime, expected_end] : cases) {
    SCOPED_TRACE(expected_end);
    const auto certificate = self_signed({.lifetime = lifetime, .now = now});
    ASSERT_TRUE(certificate) << certificate.error().message();
    EXPECT_EQ(certificate->leaf().not_before, now - minutes{5});
    const TemporaryDirectory directory;
    directory.write("cert.pem", certificate->to_pem());
    EXPECT_EQ(
        must_run(directory.path(), "openssl x509 -in cert.pem -noout -enddate -dateopt iso_8601"),
        "notAfter=" + expected_end + "\n");
  }
  EXPECT_EQ(self_signed({.lifetime = seconds::max()})->leaf().not_after,
            sys_days{9999y / December / 31} + 24h - 1s);
}

TEST(SelfSigned, NamesAreWrittenInTheirCanonicalSpelling) {
  const auto leaf = self_signed({.organization = "Ex, Inc.",
                                 .names = {"API.Example.com.", "*.Example.com", "[::1]"}})
                        ->leaf();
  EXPECT_EQ(leaf.dns_names, (std::vector<std::string>{"api.example.com", "*.example.com"}));
  EXPECT_EQ(leaf.ip_names, std::vector<std::string>{"::1"});
  EXPECT_EQ(leaf.subject, "CN=api.example.com,O=Ex\\, Inc.");
}

TEST(SelfSigned, ANameTooLongForTheSubjectIsAnAlternativeNameAlone) {
  const std::string name = std::string(60, 'a') + ".example";
  const auto certificate = self_signed({.organization = "", .names = {name}});
  ASSERT_TRUE(certificate) << certificate.error().message();
  EXPECT_EQ(certificate->leaf().subject, "");
  EXPECT_TRUE(certificate->leaf().matches(*ServerName::parse(name)));
  EXPECT_TRUE(contains(openssl_text(*certificate), "Subject Alternative Name: critical"));
}

TEST(SelfSigned, RefusesWhatIsNoName) {
  for (const auto* name : {"", "*", "*.com", "a b", "https://example.com"}) {
    const auto certificate = self_signed({.names = {"localhost", name}});
    ASSERT_FALSE(certificate) << name;
    EXPECT_TRUE(certificate.error() == Errc::invalid_server_name);
    EXPECT_EQ(certificate.error().context, "'" + std::string(name) + "'");
  }
}

}  // namespace
}  // namespace livetls
