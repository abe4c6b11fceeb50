#include "livetls/pki/certificate_info.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "livetls/pki/self_signed.hpp"
#include "pki/distinguished_name.hpp"
#include "pki/pem.hpp"
#include "pki/sign_certificate.hpp"
#include "support/shell.hpp"
#include "support/temporary_directory.hpp"

namespace livetls {
namespace {

using namespace std::chrono;
using namespace std::string_literals;
using test::must_run;
using test::TemporaryDirectory;

/// A self-signed certificate as `openssl req` makes it, in cert.pem.
Result<CertificateInfo> openssl_certificate(const TemporaryDirectory& directory,
                                            const std::string& options) {
  must_run(directory.path(), "openssl req -x509 -nodes -keyout key.pem -out cert.pem " + options);
  const auto blocks = parse_pem(directory.read("cert.pem"), 100'000);
  return CertificateInfo::from_der(blocks->at(0).der);
}

const std::string kEc = " -newkey ec -pkeyopt ec_paramgen_curve:P-256 ";

/// What follows "name=" in the output of `openssl x509`.
std::string openssl_field(const TemporaryDirectory& directory, const std::string& option) {
  auto line = must_run(directory.path(), "openssl x509 -in cert.pem -noout " + option);
  line.erase(0, line.find('=') + 1);
  return line.substr(0, line.find('\n'));
}

std::string iso(sys_seconds time) {
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  char text[64];
  std::snprintf(text, sizeof text, "%d-%02u-%02u %02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

TEST(CertificateInfo, AgreesWithOpenssl) {
  const struct {
    std::string options;
    KeyType type;
    int bits;
  } cases[] = {
      {kEc + "-subj /CN=a -days 30", KeyType::ecdsa_p256, 256},
      {"-newkey ec -pkeyopt ec_paramgen_curve:P-384 -subj /CN=a -days 36500", KeyType::ecdsa_p384,
       384},
      {"-newkey ec -pkeyopt ec_paramgen_curve:P-521 -subj /CN=a", KeyType::ecdsa_p521, 521},
      {"-newkey rsa:2048 -subj /CN=a -sha384", KeyType::rsa, 2048},
      {"-newkey rsa:3072 -subj /CN=a", KeyType::rsa, 3072},
      {"-newkey ed25519 -subj /CN=a", KeyType::ed25519, 256},
  };
  for (const auto& [options, type, bits] : cases) {
    SCOPED_TRACE(options);
    const TemporaryDirectory directory;
    const auto info = openssl_certificate(directory, options);
    ASSERT_TRUE(info) << info.error().message();
    EXPECT_EQ(info->key_type, type);
    EXPECT_EQ(info->key_bits, bits);
    EXPECT_TRUE(info->is_ca);

    const auto time = " -dateopt iso_8601";
    EXPECT_EQ(iso(info->not_before), openssl_field(directory, std::string("-startdate") + time));
    EXPECT_EQ(iso(info->not_after), openssl_field(directory, std::string("-enddate") + time));
    auto serial = openssl_field(directory, "-serial");
    auto print = openssl_field(directory, "-fingerprint -sha256");
    std::erase(print, ':');
    for (auto* text : {&serial, &print}) std::ranges::transform(*text, text->begin(), ::tolower);
    EXPECT_EQ(info->serial, serial);
    EXPECT_EQ(to_hex(info->fingerprint), print);
  }
}

TEST(CertificateInfo, WritesSubjectsAsRfc4514) {
  const std::string options = kEc + "-utf8 -subj ";
  const std::string subjects[] = {
      "'/C=DE/ST=Bayern/L=M\xc3\xbcnchen/O=Example/OU=Web/CN=api.example.com'",
      "'/O=Comma, \"Quote\" <tag>; back\\\\slash/CN=# first'",
      "'/CN= edges /O=#hash'",
      "'/CN=a b\\+c'",
      "'/DC=org/DC=example/UID=someone'",
  };
  for (const auto& subject : subjects) {
    SCOPED_TRACE(subject);
    const TemporaryDirectory directory;
    const auto info = openssl_certificate(directory, options + subject);
    ASSERT_TRUE(info) << info.error().message();
    EXPECT_EQ(info->subject, openssl_field(directory, "-subject -nameopt RFC2253,-esc_msb"));
    EXPECT_EQ(info->issuer, info->subject);
  }
}

/// A certificate whose parts are not checked by those who use the public interface.
Result<CertificateInfo> signed_with(std::vector<std::string> names) {
  const auto key = PrivateKey::generate(KeyType::ecdsa_p256);
  const auto name = encode_distinguished_name("test", "");
  const auto der = sign_certificate(
      {.issuer = name,
       .subject = name,
       .validity = ValidityPeriod::starting(sys_days{2024y / January / 1}, days{1}),
       .key_type = KeyType::ecdsa_p256,
       .public_key_info = key->public_key_der(),
       .names = std::move(names)},
      *key);
  return CertificateInfo::from_der(*der);
}

TEST(CertificateInfo, UnknownAttributesAndStringTypesAreHexadecimal) {
  const TemporaryDirectory directory;
  directory.write("req.cnf",
                  "[req]\ndistinguished_name=dn\nprompt=no\nstring_mask=MASK:0x800\n"
                  "[dn]\n0.2.5.4.65=x\nCN=wide\n");  // BMPString
  const auto info = openssl_certificate(directory, kEc + "-config req.cnf");
  ASSERT_TRUE(info) << info.error().message();
  EXPECT_EQ(info->subject, "CN=#1e080077006900640065,2.5.4.65=#1e020078");
}

TEST(CertificateInfo, NamesComeFromTheAlternativeNamesOnly) {
  const TemporaryDirectory directory;
  const auto info = openssl_certificate(
      directory, kEc +
                     "-subj /CN=common.example -addext 'subjectAltName=DNS:A.example,"
                     "DNS:*.b.example,DNS:not a name,IP:192.0.2.1,IP:2001:db8::1,"
                     "email:x@y.example,URI:https://u.example'");
  ASSERT_TRUE(info) << info.error().message();
  EXPECT_EQ(info->dns_names, (std::vector<std::string>{"A.example", "*.b.example", "not a name"}));
  EXPECT_EQ(info->ip_names, (std::vector<std::string>{"192.0.2.1", "2001:db8::1"}));

  const struct {
    std::string name;
    bool expected;
  } cases[] = {
      {"a.example", true},       {"x.b.example", true},  {"b.example", false},
      {"x.y.b.example", false},  {"192.0.2.1", true},    {"192.0.2.2", false},
      {"[2001:db8:0::1]", true}, {"2001:db8::2", false}, {"common.example", false},
      {"u.example", false},      {"y.example", false},
  };
  for (const auto& [name, expected] : cases) {
    EXPECT_EQ(info->matches(*ServerName::parse(name)), expected) << name;
  }
}

TEST(CertificateInfo, ADnsNameWithANulMatchesNothing) {
  const auto info = signed_with({"good.example\0.evil.example"s, "\0"s});
  if (!info) {  // wolfSSL may refuse it as a whole, which is as good
    EXPECT_TRUE(info.error() == Errc::malformed_certificate);
    return;
  }
  EXPECT_EQ(info->dns_names.front().size(), 26u);
  for (const auto* name : {"good.example", "evil.example", "a.evil.example"}) {
    EXPECT_FALSE(info->matches(*ServerName::parse(name))) << name;
  }
}

TEST(CertificateInfo, AnAddressWrittenAsDnsNameMatchesNoAddress) {
  const TemporaryDirectory directory;
  const auto info =
      openssl_certificate(directory, kEc + "-subj /CN=a -addext subjectAltName=DNS:192.0.2.1");
  ASSERT_TRUE(info) << info.error().message();
  EXPECT_FALSE(info->matches(*ServerName::parse("192.0.2.1")));
}

TEST(CertificateInfo, ReadsVersionOneCertificates) {
  const TemporaryDirectory directory;
  must_run(directory.path(),
           "openssl req -nodes -keyout key.pem -out csr.pem -subj /CN=old" + kEc +
               " && openssl x509 -req -in csr.pem -signkey key.pem -out cert.pem");
  ASSERT_NE(must_run(directory.path(), "openssl x509 -in cert.pem -noout -text").find("Version: 1"),
            std::string::npos);
  const auto blocks = parse_pem(directory.read("cert.pem"), 100'000);
  const auto info = CertificateInfo::from_der(blocks->at(0).der);
  ASSERT_TRUE(info) << info.error().message();
  EXPECT_EQ(info->subject, "CN=old");
  EXPECT_FALSE(info->is_ca);
}

TEST(CertificateInfo, RefusesKeysThatAreNotServed) {
  const struct {
    std::string options, named;
  } cases[] = {
      {"-newkey rsa:1024 -subj /CN=a", "RSA with 1024 bits"},
      {"-newkey ec -pkeyopt ec_paramgen_curve:secp256k1 -subj /CN=a", "1.3.132.0.10"},
      {kEc + "-pkeyopt ec_param_enc:explicit -subj /CN=a", "without a name"},
      {"-newkey ed448 -subj /CN=a", "1.3.101.113"},
  };
  for (const auto& [options, named] : cases) {
    const TemporaryDirectory directory;
    const auto info = openssl_certificate(directory, options);
    ASSERT_FALSE(info) << options;
    EXPECT_TRUE(info.error() == Errc::unsupported_key) << info.error().message();
    EXPECT_NE(info.error().context.find(named), std::string::npos) << info.error().message();
  }
}

TEST(CertificateInfo, RefusesMalformedExtensions) {
  const std::string options = kEc + "-config req.cnf -subj /CN=a ";
  const std::string extensions[] = {
      "-addext 2.5.29.17=DER:300787050102030405",  // an address of five bytes
      "-addext 2.5.29.17=DER:30038203616263",      // a name that is cut off
      "-addext 2.5.29.17=DER:3003820161FF",        // and one with a tail
      "-addext 2.5.29.17=DER:0500",
  };
  for (const auto& extension : extensions) {
    const TemporaryDirectory directory;
    directory.write("req.cnf", "[req]\ndistinguished_name=dn\n[dn]\n");
    const auto info = openssl_certificate(directory, options + extension);
    ASSERT_FALSE(info) << extension;
    EXPECT_TRUE(info.error() == Errc::malformed_certificate) << info.error().message();
    EXPECT_EQ(info.error().context, "") << "wolfSSL refused it, not livetls";
  }
}

TEST(CertificateInfo, RefusesAnExtensionThatStandsTwice) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(openssl_certificate(
      directory, kEc + "-subj /CN=a -addext 1.2.3.4=DER:0500 -addext 1.2.3.5=DER:0500"));
  auto der = parse_pem(directory.read("cert.pem"), 100'000)->at(0).der;
  constexpr std::uint8_t kSecond[] = {0x06, 0x03, 0x2a, 0x03, 0x05};
  const auto found = std::search(der.begin(), der.end(), std::begin(kSecond), std::end(kSecond));
  ASSERT_NE(found, der.end());
  found[4] = 0x04;
  const auto info = CertificateInfo::from_der(der);
  ASSERT_FALSE(info);
  EXPECT_EQ(info.error().context, "") << "wolfSSL refused it, not livetls";
}

TEST(CertificateInfo, RefusesMoreThanSixtyFourExtensions) {
  constexpr int kFromOpenssl = 3;  // without being asked
  const auto with_extensions = [](int count) {
    std::string options = kEc + "-subj /CN=a";
    for (int i = kFromOpenssl; i < count; ++i) {
      options += " -addext 1.3.6.1.4.1.99999." + std::to_string(i) + "=DER:0500";
    }
    return openssl_certificate(TemporaryDirectory(), options);
  };
  const auto most = with_extensions(64);
  EXPECT_TRUE(most) << most.error().message();
  const auto too_many = with_extensions(65);
  ASSERT_FALSE(too_many);
  EXPECT_EQ(too_many.error().context, "") << "wolfSSL refused it, not livetls";
}

TEST(CertificateInfo, RefusesEveryTruncationAndAnythingAppended) {
  const auto certificate = self_signed();
  ASSERT_TRUE(certificate);
  const std::span der = certificate->chain().front();
  for (std::size_t size = 0; size < der.size(); ++size) {
    const auto info = CertificateInfo::from_der(der.first(size));
    ASSERT_FALSE(info) << size;
    EXPECT_TRUE(info.error() == Errc::malformed_certificate);
  }
  auto longer = certificate->chain().front();
  longer.push_back(0);
  EXPECT_TRUE(CertificateInfo::from_der(longer).error() == Errc::malformed_certificate);
}

TEST(CertificateInfo, NoDamagedByteBringsTheReaderDown) {
  const auto certificate = self_signed();
  ASSERT_TRUE(certificate);
  const auto& der = certificate->chain().front();
  for (std::size_t at = 0; at < der.size(); ++at) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      auto damaged = der;
      damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ flip);
      const auto info = CertificateInfo::from_der(damaged);
      EXPECT_TRUE(!info || info->fingerprint != certificate->leaf().fingerprint) << at;
    }
  }
}

TEST(CertificateInfo, TimesThatDoNotExistAreRefused) {
  const auto certificate = self_signed({.lifetime = days{1}, .now = sys_days{2024y / March / 1}});
  ASSERT_TRUE(certificate);
  const auto& der = certificate->chain().front();
  const std::string_view whole = as_text(der);
  const auto at = whole.find("240302000000Z");
  ASSERT_NE(at, whole.npos);
  const struct {
    std::string_view text;
    bool valid;
  } cases[] = {
      {"240229235959Z", true},   // a leap day
      {"230229000000Z", false},  // none that year
      {"241302000000Z", false}, {"240332000000Z", false}, {"240302240000Z", false},
      {"240302006000Z", false}, {"240302000060Z", false}, {"2403020000000", false},
      {"240302+00000Z", false}, {"24030200000 Z", false},
  };
  for (const auto& [text, valid] : cases) {
    auto changed = der;
    std::ranges::copy(text, changed.begin() + static_cast<std::ptrdiff_t>(at));
    EXPECT_EQ(CertificateInfo::from_der(changed).has_value(), valid) << text;
  }
}

TEST(CertificateInfo, ValidityIncludesBothEnds) {
  CertificateInfo info{};
  info.not_before = sys_seconds{100s};
  info.not_after = sys_seconds{200s};
  EXPECT_FALSE(info.valid_at(sys_seconds{99s}));
  EXPECT_TRUE(info.valid_at(sys_seconds{100s}));
  EXPECT_TRUE(info.valid_at(sys_seconds{200s}));
  EXPECT_FALSE(info.valid_at(sys_seconds{201s}));
}

}  // namespace
}  // namespace livetls
