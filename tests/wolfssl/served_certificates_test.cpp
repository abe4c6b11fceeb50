// What can be served is not what can be trusted: a server is given its certificate, and whether
// clients like it is their affair. Each of these was refused by some version of the library, or is,
// and other servers serve it.

#include <gtest/gtest.h>

#include "livetls/pki/certificate_authority.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "pki/object_ids.hpp"
#include "support/crafted_certificates.hpp"
#include "support/engine_pair.hpp"

namespace livetls {
namespace {

using namespace test;

/// A leaf of a crafted root whose parts a test replaces.
struct Leaf {
  std::string name;
  Der serial_number = serial();
  Der algorithm = der_of(der::kSequence, {ecdsa_with_sha256()});
  Der more_extensions = {};
  bool acceptable = true;  ///< to a client of ours

  Der make(const CraftedRoot& root, const PrivateKey& key) const {
    const Der names = alternative_name("localhost");
    const Der subject = copy_of(encode_distinguished_name("leaf", ""));
    const Der tbs = der_of(der::kSequence,
                           {version3(), serial_number, algorithm, root.name, validity(), subject,
                            key.public_key_der(), extensions({names, more_extensions})});
    return sign(tbs, root.key, algorithm);
  }
};

Der critical_extension(der::Span object_id, der::Span value) {
  return der_of(der::kSequence, {der_of(der::kObjectId, {object_id}), Der{0x01, 0x01, 0xff},
                                 der_of(der::kOctetString, {value})});
}

std::vector<Leaf> leaves() {
  const Der null = {0x05, 0x00};
  const Der acme_identifier = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x1f};
  const Der digest = der_of(der::kOctetString, {Der(32, 7)});
  const Der ecdsa_null = der_of(der::kSequence, {ecdsa_with_sha256(), null});
  const Der ca_false = {0x30, 0x03, 0x01, 0x01, 0x00};
  const Der sign_and_issue = {0x03, 0x02, 0x02, 0x84};
  const Der other_purpose = {0x30, 0x04, 0x06, 0x02, 0x2a, 0x03};
  std::vector<Leaf> list(8);
  list[0].name = "SerialNumberZero";
  list[0].serial_number = {0x02, 0x01, 0x00};
  list[1].name = "SerialNumberBelowZero";
  list[1].serial_number = {0x02, 0x01, 0x80};
  list[2].name = "NullBehindEcdsa";
  list[2].algorithm = ecdsa_null;
  list[3].name = "CaFalseWrittenOut";
  list[3].more_extensions = extension(oid::kBasicConstraints, ca_false);
  list[4].name = "KeyCertSignInALeaf";
  list[4].more_extensions = extension(oid::kKeyUsage, sign_and_issue);
  list[5].name = "AcmeIdentifier";
  list[5].more_extensions = critical_extension(acme_identifier, digest);
  list[5].acceptable = false;
  list[6].name = "UnknownCriticalExtension";
  list[6].more_extensions = critical_extension(Der{0x2a, 0x03, 0x04}, null);
  list[6].acceptable = false;
  list[7].name = "ForAnotherPurpose";
  list[7].more_extensions = extension(oid::kExtendedKeyUsage, other_purpose);
  list[7].acceptable = false;
  return list;
}

class ServedCertificates : public testing::TestWithParam<std::tuple<TlsVersion, Leaf>> {
 protected:
  ServedCertificates() : leaf(std::get<1>(GetParam())) {}

  EnginePair::Outcome connect(const Certificate& certificate, ClientOptions options) {
    const TlsVersion version = std::get<0>(GetParam());
    options.policy = {version, version};
    const auto manager = CertManager::create(certificate).value();
    EnginePair engines(
        TlsEngine(ClientContext::create(std::move(options)).value(),
                  ServerName::parse("localhost").value()),
        TlsEngine(std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager})), 4096);
    return engines.handshake();
  }

  const Leaf& leaf;
  CraftedRoot root;
};

INSTANTIATE_TEST_SUITE_P(All, ServedCertificates,
                         testing::Combine(testing::Values(TlsVersion::tls1_2, TlsVersion::tls1_3),
                                          testing::ValuesIn(leaves())),
                         [](const auto& parameters) {
                           const bool is_old = std::get<0>(parameters.param) == TlsVersion::tls1_2;
                           return std::get<1>(parameters.param).name + (is_old ? "Tls12" : "Tls13");
                         });

TEST_P(ServedCertificates, AreServedWhateverClientsThinkOfThem) {
  auto key = PrivateKey::generate(KeyType::ecdsa_p256).value();
  const Der der = leaf.make(root, key);
  const auto certificate = Certificate::from_parts({der}, std::move(key));
  ASSERT_TRUE(certificate) << certificate.error().message();
  const auto outcome = connect(*certificate, {.roots = root.bundle()});
  EXPECT_EQ(outcome.done(), leaf.acceptable) << outcome.client.error.message();
}

/// CAs have limits of their own (100 to 1,000); RFC 5280 has none.
TEST(ServedCertificate, MayHaveAThousandNames) {
  std::vector<std::string> names = {"localhost"};
  for (int i = 0; i < 999; ++i) names.push_back("host" + std::to_string(i) + ".example");
  const auto authority = CertificateAuthority::create().value();
  const auto certificate = authority.issue({.names = names}).value();
  const auto manager = CertManager::create(certificate).value();
  EnginePair engines(
      TlsEngine(ClientContext::create({.roots = authority.trust_bundle()}).value(),
                ServerName::parse("host998.example").value()),
      TlsEngine(std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager})), 4096);
  const auto outcome = engines.handshake();
  EXPECT_TRUE(outcome.done()) << outcome.client.error.message();
}

}  // namespace
}  // namespace livetls
