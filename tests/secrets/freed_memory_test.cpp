// A whole life of keys, from files to the end of the last connection, after which no byte of them
// is left: not in any block of memory that was given back, and nowhere else that can be written.

#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "livetls/pki/certificate_authority.hpp"
#include "pki/pem.hpp"
#include "pki/read_file.hpp"
#include "secrets/memory_search.hpp"
#include "secrets/service.hpp"

namespace livetls {
namespace {

using namespace test;

constexpr TlsVersion kVersions[] = {TlsVersion::tls1_2, TlsVersion::tls1_3};

/// A ticket's secrets as they lie in memory: the exported form holds them between other things.
void add_ticket_secrets(Needles& needles, const TicketKeys& keys) {
  constexpr std::size_t kHeadBytes = 16;
  constexpr std::size_t kNameBytes = TicketKeys::kNameBytes;
  constexpr std::size_t kSecretBytes = 32;
  const SecretBytes exported = keys.export_secrets();
  for (std::size_t epoch = 0; epoch < 3; ++epoch) {
    const std::size_t at = kHeadBytes + epoch * (kNameBytes + kSecretBytes) + kNameBytes;
    needles.add("ticket secret", std::span(exported).subspan(at, kSecretBytes));
  }
}

class FreedMemoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!FreedMemory::can_be_watched()) GTEST_SKIP() << "the sanitizer has a heap of its own";
  }

  /// Runs it on a stack of its own, and expects to find nothing of a needle afterwards.
  void live(const std::function<void()>& life) {
    std::string freed;
    {
      const FreedMemory memory(files.needles());
      std::thread(life).join();
      EXPECT_GT(memory.blocks(), 0u);
      freed = memory.findings();
    }
    EXPECT_EQ(freed, "");
    EXPECT_EQ(search_own_memory(files.needles()), "");
  }

  KeyFiles files;
};

TEST_F(FreedMemoryTest, IsFoundWhereSomethingIsLeft) {
  const auto key = files.pkcs8(KeyType::ecdsa_p256);
  std::string findings;
  {
    const FreedMemory memory(files.needles());
    {
      const auto careless =
          std::make_unique<std::string>(TemporaryDirectory{}.read(key.key.string()));
    }
    findings = memory.findings();
  }
  EXPECT_NE(findings, "");
  EXPECT_NE(search_own_memory(files.needles()), "");
}

TEST_F(FreedMemoryTest, LoadingLeavesNothing) {
  live([&] {
    for (const KeyType type : KeyFiles::kTypes) {
      const auto loaded = load(files.pkcs8(type));
      if (type != KeyType::ed25519) {
        EXPECT_EQ(load(files.old_format(type)), loaded);
      }
      const auto certificate_pem = read_file(files.pkcs8(type).certificate, 1 << 20).value();
      const auto key_pem = read_file(files.pkcs8(type).key, 1 << 20).value();
      EXPECT_EQ(Certificate::from_pem(as_text(certificate_pem), as_text(key_pem)).value(), loaded);
      EXPECT_FALSE(loaded.private_key().to_pem().empty());
    }
  });
}

TEST_F(FreedMemoryTest, RefusingLeavesNothing) {
  live([&] {
    for (const KeyType type : KeyFiles::kTypes) {
      const auto files_of_type = files.pkcs8(type);
      const auto certificate_pem = read_file(files_of_type.certificate, 1 << 20).value();
      const auto key_pem = read_file(files_of_type.key, 1 << 20).value();
      const auto text = as_text(key_pem);
      for (const std::size_t cut : {text.size() / 3, text.size() / 2, text.size() - 30}) {
        EXPECT_FALSE(Certificate::from_pem(as_text(certificate_pem), text.substr(0, cut)));
      }
      EXPECT_EQ(Certificate::from_pem(text, text).error(), Errc::certificate_and_key_swapped);
      EXPECT_EQ(Certificate::load(files_of_type.certificate, files.pkcs8(type, 1).key).error(),
                Errc::key_mismatch);
    }
  });
}

TEST_F(FreedMemoryTest, GeneratingLeavesNothing) {
  live([&] {
    for (const KeyType type : KeyFiles::kTypes) {
      const auto authority = CertificateAuthority::create({.key_type = type}).value();
      files.needles().add("generated " + std::string(to_string(type)) + " key",
                          authority.issue({.key_type = type})->private_key());
    }
  });
}

TEST_F(FreedMemoryTest, ServingLeavesNothing) {
  live([&] {
    const auto manager =
        CertManager::create({.default_identity = load(files.pkcs8(KeyType::ecdsa_p256)),
                             .policy = {.min_version = TlsVersion::tls1_2}})
            .value();
    for (const KeyType type : {KeyType::ecdsa_p256, KeyType::ecdsa_p384, KeyType::ecdsa_p521,
                               KeyType::rsa, KeyType::ecdsa_p256}) {
      for (const int which : {0, 1}) {
        ASSERT_TRUE(manager->update(load(files.old_format(type, which))));
        for (const TlsVersion version : kVersions) connect(manager, files, version);
      }
    }
    const auto ed25519 =
        CertManager::create({.default_identity = load(files.pkcs8(KeyType::ed25519)),
                             .policy = {.min_version = TlsVersion::tls1_3}})
            .value();
    connect(ed25519, files, TlsVersion::tls1_3);
  });
}

TEST_F(FreedMemoryTest, EveryWayOfReplacingLeavesNothing) {
  live([&] {
    const auto manager = CertManager::create(load(files.pkcs8(KeyType::ecdsa_p256))).value();
    ASSERT_TRUE(manager->set("a.example", load(files.pkcs8(KeyType::rsa))));
    auto plan = manager->stage({.default_identity = load(files.pkcs8(KeyType::ecdsa_p384)),
                                .policy = {.min_version = TlsVersion::tls1_2}});
    ASSERT_TRUE(plan);
    EXPECT_TRUE(plan->prove().empty());
    ASSERT_TRUE(manager->erase("a.example"));
    ASSERT_TRUE(manager->rollback());
    for (const TlsVersion version : kVersions) connect(manager, files, version);
    manager->forget_history();
  });
}

TEST_F(FreedMemoryTest, ClientsWithCertificatesLeaveNothing) {
  live([&] {
    const auto manager =
        CertManager::create({.default_identity = Identity(load(files.pkcs8(KeyType::ecdsa_p256)))
                                                     .with(ClientAuth::require_and_verify),
                             .client_roots = TrustBundle::load(files.root()).value()})
            .value();
    for (const KeyType type : {KeyType::ecdsa_p256, KeyType::ecdsa_p384, KeyType::rsa}) {
      for (const TlsVersion version : kVersions) {
        connect(manager, files, version, {}, load(files.old_format(type, 1)));
      }
    }
  });
}

TEST_F(FreedMemoryTest, TicketSecretsLeaveNothing) {
  live([&] {
    auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const auto keys = std::make_shared<TicketKeys>(TicketKeys::Options{.now = [&] { return now; }});
    const auto manager =
        CertManager::create({.default_identity = load(files.pkcs8(KeyType::ecdsa_p256))},
                            {.now = [&] { return now; }, .ticket_keys = keys})
            .value();
    const auto session = connect(manager, files, TlsVersion::tls1_3);
    connect(manager, files, TlsVersion::tls1_3, session);
    add_ticket_secrets(files.needles(), *keys);
    ASSERT_TRUE(TicketKeys().import_secrets(keys->export_secrets()));
    now += std::chrono::hours(9);
    connect(manager, files, TlsVersion::tls1_3);
    add_ticket_secrets(files.needles(), *keys);
    keys->revoke_all();
    connect(manager, files, TlsVersion::tls1_3);
    add_ticket_secrets(files.needles(), *keys);
  });
}

}  // namespace
}  // namespace livetls
