// Every container of a certificate is read to its end: what stands behind that is what another
// reader may take for the certificate.

#include <gtest/gtest.h>

#include "livetls/pki/certificate_info.hpp"
#include "pki/crypto.hpp"
#include "pki/parsed_certificate.hpp"
#include "pki/public_key.hpp"
#include "support/crafted_certificates.hpp"

namespace livetls {
namespace {

using namespace test;

const Der& null() {
  static const Der element = {0x05, 0x00};
  return element;
}

Der algorithm(std::initializer_list<der::Span> parameters = {}) {
  Der content = ecdsa_with_sha256();
  for (const auto part : parameters) content.insert(content.end(), part.begin(), part.end());
  return der_of(der::kSequence, {content});
}

/// A certificate whose parts a test replaces.
struct Parts {
  Der version = version3();
  Der inner_algorithm = algorithm();
  Der key_info;
  Der key_usage_and_more = extensions({alternative_name("a.example")});
  Der outer_algorithm = algorithm();

  boost::system::error_code verdict(const CraftedRoot& root) const {
    const Der tbs = der_of(der::kSequence, {version, serial(), inner_algorithm, root.name,
                                            validity(), root.name, key_info, key_usage_and_more});
    const auto signature = crypto::sign(KeyType::ecdsa_p256, root.key.der(), tbs).value();
    const auto info = CertificateInfo::from_der(
        der_of(der::kSequence, {tbs, outer_algorithm, der::bit_string(signature)}));
    return info ? boost::system::error_code() : info.error().code;
  }
};

class StrictCertificate : public testing::Test {
 protected:
  StrictCertificate() { parts.key_info = copy_of(root.key.public_key_der()); }

  void expect_malformed() { EXPECT_EQ(parts.verdict(root), Errc::malformed_certificate); }

  /// The key's own bytes.
  Der point() const { return copy_of(parse_public_key_info(parts.key_info)->key); }

  Der key_info_with(const Der& key, std::initializer_list<der::Span> more = {}) const {
    Der content =
        join({der_of(der::kObjectId, {oid::kEcPublicKey}), der_of(der::kObjectId, {oid::kP256})});
    for (const auto part : more) content.insert(content.end(), part.begin(), part.end());
    return der_of(der::kSequence, {der_of(der::kSequence, {content}), der::bit_string(key)});
  }

  static Der basic_constraints(std::initializer_list<der::Span> content) {
    return extensions({extension(oid::kBasicConstraints, der_of(der::kSequence, content)),
                       alternative_name("a.example")});
  }

  CraftedRoot root;
  Parts parts;
};

TEST_F(StrictCertificate, IsReadAsItIs) { EXPECT_FALSE(parts.verdict(root)); }

TEST_F(StrictCertificate, HasAVersionAndNothingBehindIt) {
  parts.version = der_of(0xa0, {Der{0x02, 0x01, 0x02}, null()});
  expect_malformed();
  parts.version = der_of(0xa0, {Der{0x02, 0x01, 0x03}});
  expect_malformed();
  parts.version = der_of(0xa0, {});
  expect_malformed();
}

TEST_F(StrictCertificate, HasAlgorithmsWithOneParameterAtMost) {
  parts.inner_algorithm = parts.outer_algorithm = algorithm({null(), null()});
  expect_malformed();
  parts.inner_algorithm = parts.outer_algorithm = algorithm({null(), root.name, validity()});
  expect_malformed();
}

TEST_F(StrictCertificate, SaysTheSameAlgorithmInsideAndOutside) {
  parts.outer_algorithm = der_of(der::kSequence, {der_of(der::kObjectId, {oid::kEcdsaWithSha384})});
  expect_malformed();
  parts.outer_algorithm = algorithm({null()});
  expect_malformed();
}

TEST_F(StrictCertificate, HasAKeyWithACurveAndNothingBehindIt) {
  parts.key_info = key_info_with(point());
  EXPECT_FALSE(parts.verdict(root));
  parts.key_info = key_info_with(point(), {null()});
  expect_malformed();
}

TEST_F(StrictCertificate, HasAKeyThatIsAPointOnItsCurve) {
  Der off_the_curve = point();
  off_the_curve.back() ^= 1;
  Der zero(off_the_curve.size());
  zero.front() = 4;
  for (const Der& key : {off_the_curve, zero}) {
    parts.key_info = key_info_with(key);
    expect_malformed();
  }
}

/// X.690, section 11.2.2: what is unused is zero.
TEST_F(StrictCertificate, HasAKeyUsageWithoutBitsBehindItsEnd) {
  const auto with_usage = [&](const Der& bits) {
    parts.key_usage_and_more = extensions({extension(oid::kKeyUsage, bits)});
  };
  with_usage({0x03, 0x02, 0x07, 0x80});
  EXPECT_FALSE(parts.verdict(root));
  for (const Der& bits : {Der{0x03, 0x02, 0x07, 0xff}, Der{0x03, 0x01, 0x01}, Der{0x03, 0x00},
                          Der{0x03, 0x02, 0x08, 0x00}}) {
    with_usage(bits);
    expect_malformed();
  }
}

/// Another spelling of a known extension would hide it.
TEST_F(StrictCertificate, HasObjectIdentifiersInTheirShortestForm) {
  for (const Der& type : {Der{0x55, 0x1d, 0x80, 0x1e}, Der{0x2a, 0x03, 0x84}, Der{}}) {
    parts.key_usage_and_more = extensions({extension(type, null())});
    expect_malformed();
  }
}

/// The packaged library's time for them grows with the square.
TEST_F(StrictCertificate, HasAtMostSoManyNames) {
  const auto with_names = [&](std::size_t count) {
    Der names;
    const Der name = der_of(der::context_primitive(2), {bytes_of("a")});
    for (std::size_t i = 0; i < count; ++i) names.insert(names.end(), name.begin(), name.end());
    parts.key_usage_and_more =
        extensions({extension(oid::kSubjectAltName, der_of(der::kSequence, {names}))});
  };
  with_names(1'024);
  EXPECT_FALSE(parts.verdict(root));
  with_names(1'025);
  expect_malformed();
}

/// One that cannot be read must not be taken for the empty one, which everything is below.
TEST_F(StrictCertificate, HasDirectoryNamesThatCanBeRead) {
  const auto with_directory_name = [&](const Der& name) {
    const Der entry = der_of(der::context_constructed(4), {name});
    parts.key_usage_and_more =
        extensions({extension(oid::kSubjectAltName, der_of(der::kSequence, {entry}))});
  };
  with_directory_name(root.name);
  EXPECT_FALSE(parts.verdict(root));
  with_directory_name(der_of(der::kSequence, {null()}));
  expect_malformed();
}

TEST_F(StrictCertificate, HasAnRsaKeyOfTheUsualKind) {
  const auto key_info_of = [](const Der& exponent, bool odd_modulus) {
    Der modulus(257, 0xab);
    modulus.front() = 0;
    modulus.back() = odd_modulus ? 0xab : 0xaa;
    const Der key = der_of(der::kSequence,
                           {der_of(der::kInteger, {modulus}), der_of(der::kInteger, {exponent})});
    return copy_of(encode_public_key_info(KeyType::rsa, key));
  };
  EXPECT_TRUE(parse_public_key_info(key_info_of({0x01, 0x00, 0x01}, true)));
  EXPECT_TRUE(parse_public_key_info(key_info_of({0x03}, true)));
  EXPECT_FALSE(parse_public_key_info(key_info_of({0x01, 0x00, 0x01}, false)));
  for (const Der& exponent : {Der{0x00}, Der{0x01}, Der{0x02}, Der{0x83}, Der{},
                              Der{0x01, 0x00, 0x00, 0x00, 0x01}, Der(300, 0x11)}) {
    EXPECT_FALSE(parse_public_key_info(key_info_of(exponent, true))) << exponent.size();
  }
  const Der negative = der_of(der::kSequence, {der_of(der::kInteger, {Der(256, 0xab)}),
                                               der_of(der::kInteger, {Der{0x03}})});
  EXPECT_FALSE(parse_public_key_info(encode_public_key_info(KeyType::rsa, negative)));
}

TEST_F(StrictCertificate, HasBasicConstraintsAndNothingBehindThem) {
  const Der is_ca = {0x01, 0x01, 0xff};
  const Der path_length = {0x02, 0x01, 0x00};
  parts.key_usage_and_more = basic_constraints({is_ca, path_length});
  EXPECT_FALSE(parts.verdict(root));
  parts.key_usage_and_more = basic_constraints({is_ca, path_length, null()});
  expect_malformed();
  parts.key_usage_and_more = basic_constraints({is_ca, null()});
  expect_malformed();
}

// ---- Two readings compared ----------------------------------------------------------------------

class TwoReaders : public testing::Test {
 protected:
  TwoReaders() {
    const Der tbs = der_of(
        der::kSequence, {version3(), serial(), algorithm(), root.name, validity(), root.name,
                         root.key.public_key_der(),
                         extensions({alternative_name("a.example"),
                                     extension(oid::kBasicConstraints,
                                               der_of(der::kSequence, {Der{0x01, 0x01, 0xff}}))})});
    certificate = sign(tbs, root.key);
    reading = parse_certificate(certificate).value();
  }

  std::string verdict() const {
    const auto checked = crypto::check_certificate(reading, crypto::IfUnreadable::refuse);
    return checked ? "" : checked.error().context;
  }

  void expect_difference(const std::string& what) {
    EXPECT_EQ(verdict(), "it can be read in two ways: " + what);
  }

  CraftedRoot root;
  Der certificate;
  ParsedCertificate reading;
  const Der other = Der(65, 4);
};

TEST_F(TwoReaders, Agree) { EXPECT_EQ(verdict(), ""); }

TEST_F(TwoReaders, DifferInTheKey) {
  reading.key = reading.key_info = der::Span(other);
  expect_difference("the public key");
}

TEST_F(TwoReaders, DifferInTheSerialNumber) {
  reading.serial = other;
  expect_difference("the serial number");
}

TEST_F(TwoReaders, DifferInTheValidity) {
  const auto crossed = reading;
  reading.not_before = crossed.not_after;
  expect_difference("the validity");
  reading = crossed;
  reading.not_after = crossed.not_before;
  expect_difference("the validity");
}

TEST_F(TwoReaders, DifferInTheNames) {
  using Type = GeneralName::Type;
  auto& names = reading.extensions.alternative_names;
  const GeneralName name = names.front();
  for (const std::vector<GeneralName>& others : {std::vector<GeneralName>{},
                                                 {name, name},
                                                 {{Type::dns, other}},
                                                 {{Type::dns, name.value.first(3)}}}) {
    names = others;
    expect_difference("the DNS names");
  }
  names = {name, {Type::ip, name.value.first(4)}};
  expect_difference("the IP addresses");
  names = {name, {Type::uri, name.value}};
  expect_difference("the URIs");
}

TEST_F(TwoReaders, DifferInWhetherItIsACa) {
  reading.extensions.is_ca = false;
  expect_difference("whether it is a CA");
}

}  // namespace
}  // namespace livetls
