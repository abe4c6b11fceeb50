// What is said about keys that are broken, and about handshakes that fail, says nothing of a key.

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

#include "livetls/pki/certificate_authority.hpp"
#include "livetls/tcp/server.hpp"
#include "pki/pem.hpp"
#include "pki/read_file.hpp"
#include "secrets/key_shapes.hpp"
#include "secrets/service.hpp"
#include "support/captured_log.hpp"
#include "support/eventually.hpp"
#include "support/http_client.hpp"
#include "support/running_runtime.hpp"
#include "support/tls_client.hpp"

namespace livetls {
namespace {

using namespace test;

class LoggedSecretsTest : public ::testing::Test {
 protected:
  LoggedSecretsTest() { set_log_level(LogLevel::debug); }
  ~LoggedSecretsTest() override {
    EXPECT_EQ(files.needles().in(log.text()), nullptr);
    set_log_level(LogLevel::info);
  }

  void expect_silent(const Error& error) {
    const std::string message = error.message();
    EXPECT_EQ(files.needles().in(message), nullptr) << message;
    ++errors;
  }

  void try_pair(std::string_view certificate_pem, std::string_view key_pem) {
    const auto certificate = Certificate::from_pem(certificate_pem, key_pem);
    if (!certificate) expect_silent(certificate.error());
  }

  KeyFiles files;
  CapturedLog log;
  int errors = 0;
};

TEST_F(LoggedSecretsTest, NeedlesAreFoundInMessages) {
  const Certificate certificate = load(files.pkcs8(KeyType::ecdsa_p256));
  const auto key = certificate.private_key().der();
  std::string hex = to_hex(key);
  EXPECT_NE(files.needles().in("a key: " + hex), nullptr);
  for (char& digit : hex) digit = static_cast<char>(std::toupper(digit));
  EXPECT_NE(files.needles().in("a key: " + hex), nullptr);
  EXPECT_NE(files.needles().in("a key: " + std::string(as_text(key))), nullptr);
  const auto pem = read_file(files.pkcs8(KeyType::ecdsa_p256).key, 1 << 20).value();
  EXPECT_NE(files.needles().in("a key: " + std::string(as_text(pem))), nullptr);
}

TEST_F(LoggedSecretsTest, BrokenKeys) {
  for (const KeyType type : KeyFiles::kTypes) {
    const Certificate whole = load(files.pkcs8(type));
    const std::string certificate_pem = whole.to_pem();
    for (KeyShape& shape : shapes_of(whole.private_key())) {
      for (std::size_t at = 0; at < shape.der.size(); at += 3) {
        shape.der[at] ^= 0x41;
        try_pair(certificate_pem, as_text(encode_pem(shape.label, shape.der)));
        shape.der[at] ^= 0x41;
      }
    }
  }
  EXPECT_GT(errors, 100);
}

TEST_F(LoggedSecretsTest, TornAndMisplacedPem) {
  for (const KeyType type : KeyFiles::kTypes) {
    const std::string certificate_pem = load(files.pkcs8(type)).to_pem();
    const SecretBytes key = read_file(files.pkcs8(type).key, 1 << 20).value();
    const std::string key_pem(as_text(key));
    for (std::size_t cut = 0; cut < key_pem.size(); cut += 5) {
      try_pair(certificate_pem, key_pem.substr(0, cut));
      try_pair(certificate_pem, key_pem.substr(cut));
      try_pair(key_pem.substr(0, cut), key_pem);
      std::string stained = key_pem;
      stained[cut] = '?';
      try_pair(certificate_pem, stained);
      stained.insert(std::min(cut + 40, stained.size()), "-----\n").insert(cut, "\n-----BEGIN ");
      try_pair(certificate_pem, stained);
    }
    try_pair(key_pem, certificate_pem);
  }
  EXPECT_GT(errors, 100);
}

TEST_F(LoggedSecretsTest, FilesThatDoNotFit) {
  for (const KeyType type : KeyFiles::kTypes) {
    const auto first = files.pkcs8(type, 0);
    const auto second = files.pkcs8(type, 1);
    expect_silent(Certificate::load(first.certificate, second.key).error());
    expect_silent(Certificate::load(first.key, first.certificate).error());
    expect_silent(Certificate::load(first.certificate, first.certificate).error());
    expect_silent(Certificate::load(first.key, first.key).error());
    expect_silent(TrustBundle::load(first.key).error());
  }
}

/// Whoever keeps a key in a variable of the environment may put it where its file's name belongs.
TEST_F(LoggedSecretsTest, AKeyInThePlaceOfAFileName) {
  for (const KeyType type : KeyFiles::kTypes) {
    const auto pair = files.pkcs8(type);
    const SecretBytes key = read_file(pair.key, 1 << 20).value();
    const std::string key_pem(as_text(key));
    expect_silent(Certificate::load(pair.certificate, key_pem).error());
    expect_silent(Certificate::load(key_pem, pair.key).error());
    expect_silent(TrustBundle::load(key_pem).error());
  }
}

TEST_F(LoggedSecretsTest, HandshakesThatFail) {
  RunningRuntime runtime;
  const auto roots = TrustBundle::load(files.root()).value();
  for (const KeyType type : {KeyType::ecdsa_p256, KeyType::rsa}) {
    const auto manager =
        CertManager::create(
            {.default_identity =
                 Identity(load(files.pkcs8(type))).with(ClientAuth::require_and_verify),
             .client_roots = roots})
            .value();
    tcp::Server server(runtime, manager, [](tcp::Connection&) -> Task<void> { co_return; });
    std::uint64_t failures = 0;
    const auto try_client = [&](const ClientOptions& options) {
      TlsClient client(server.port(), ClientContext::create(options).value());
      if (!client.handshake()) client.end();
      ++failures;
    };
    const auto stranger = CertificateAuthority::create().value();
    try_client({.roots = stranger.trust_bundle()});
    try_client({.roots = roots});
    try_client({.roots = roots, .certificate = stranger.issue().value()});
    try_client({.roots = roots,
                .policy = {.max_version = TlsVersion::tls1_2},
                .certificate = stranger.issue().value()});
    {
      PlainClient garbage = plain_client(server.port());
      garbage.send("GET / HTTP/1.1\r\n\r\n");
      ++failures;
      EXPECT_TRUE(eventually([&] { return server.counters().failed_handshakes() == failures; }));
    }
  }
  EXPECT_NE(log.text().find("handshake failed"), std::string::npos);
}

}  // namespace
}  // namespace livetls
