#include "livetls/pki/private_key.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <type_traits>

#include "pki/der.hpp"
#include "pki/object_ids.hpp"
#include "pki/pem.hpp"
#include "support/shell.hpp"
#include "support/temporary_directory.hpp"

namespace livetls {
namespace {

using test::must_run;
using test::TemporaryDirectory;

static_assert(!std::is_copy_constructible_v<PrivateKey> &&
              std::is_nothrow_move_constructible_v<PrivateKey>);

const std::string kEcKey = "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:";

/// The error of reading what `command` writes into key.pem; a success has an empty code.
Error error_of(const std::string& command) {
  const TemporaryDirectory directory;
  must_run(directory.path(), command);
  const auto key = PrivateKey::from_pem(directory.read("key.pem"));
  return key ? Error{} : key.error();
}

TEST(PrivateKey, ReadsWhatOpensslWrites) {
  const struct {
    std::string command;
    KeyType type;
  } cases[] = {
      {kEcKey + "P-256 -out key.pem", KeyType::ecdsa_p256},
      {kEcKey + "P-384 -out key.pem", KeyType::ecdsa_p384},
      {kEcKey + "P-521 -out key.pem", KeyType::ecdsa_p521},
      {"openssl ecparam -name prime256v1 -genkey -out key.pem", KeyType::ecdsa_p256},
      {"openssl ecparam -name secp521r1 -genkey -noout -out key.pem", KeyType::ecdsa_p521},
      {"openssl ecparam -name prime256v1 -genkey -noout | sed 's/EC PRIVATE/PRIVATE/' >key.pem",
       KeyType::ecdsa_p256},
      {kEcKey + "P-256 | sed 's/PRIVATE/RSA PRIVATE/;s/$/\\r/' >key.pem", KeyType::ecdsa_p256},
      {"openssl genrsa -traditional -out key.pem 2048", KeyType::rsa},
      {"openssl genrsa -out key.pem 2048", KeyType::rsa},
      {"openssl genrsa -traditional 3072 | sed 's/RSA PRIVATE/PRIVATE/' >key.pem", KeyType::rsa},
      {"openssl genpkey -algorithm ed25519 -out key.pem", KeyType::ed25519},
  };
  for (const auto& [command, type] : cases) {
    SCOPED_TRACE(command);
    const TemporaryDirectory directory;
    must_run(directory.path(), command);
    const auto key = PrivateKey::from_pem(directory.read("key.pem"));
    ASSERT_TRUE(key) << key.error().message();
    EXPECT_EQ(key->type(), type);

    const auto public_key = "openssl pkey -pubout -outform DER -in ";
    EXPECT_EQ(as_text(key->public_key_der()),
              must_run(directory.path(), std::string(public_key) + "key.pem"));
    directory.write("copy.pem", as_text(key->to_pem()));
    EXPECT_EQ(as_text(key->public_key_der()),
              must_run(directory.path(), std::string(public_key) + "copy.pem"));
  }
}

TEST(PrivateKey, GeneratesKeysThatOpensslFindsConsistent) {
  for (const auto type : {KeyType::ecdsa_p256, KeyType::ecdsa_p384, KeyType::ecdsa_p521,
                          KeyType::rsa, KeyType::ed25519}) {
    SCOPED_TRACE(to_string(type));
    const auto key = PrivateKey::generate(type);
    ASSERT_TRUE(key) << key.error().message();
    EXPECT_EQ(key->type(), type);

    const TemporaryDirectory directory;
    directory.write("key.pem", as_text(key->to_pem()));
    must_run(directory.path(), "openssl pkey -check -noout -in key.pem");

    const auto again = PrivateKey::from_pem(as_text(key->to_pem()));
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(as_text(again->der()), as_text(key->der()));
    const auto stored = PrivateKey::from_der(key->der());
    ASSERT_TRUE(stored) << stored.error().message();
    EXPECT_EQ(as_text(stored->public_key_der()), as_text(key->public_key_der()));
  }
}

TEST(PrivateKey, GeneratesADifferentKeyEachTime) {
  const auto first = PrivateKey::generate(KeyType::ecdsa_p256);
  const auto second = PrivateKey::generate(KeyType::ecdsa_p256);
  EXPECT_NE(as_text(first->der()), as_text(second->der()));
}

TEST(PrivateKey, RefusesEncryptedKeys) {
  const std::string commands[] = {
      kEcKey + "P-256 -aes256 -pass pass:secret -out key.pem",
      kEcKey + "P-256 -aes256 -pass pass:secret | sed 's/ENCRYPTED //' >key.pem",
      kEcKey + "P-256 | openssl ec -aes256 -passout pass:secret -out key.pem",
      "openssl genrsa 2048 | openssl rsa -traditional -aes128 -passout pass:secret -out key.pem",
  };
  for (const auto& command : commands) {
    EXPECT_TRUE(error_of(command) == Errc::encrypted_private_key) << command;
  }
}

TEST(PrivateKey, RefusesOtherKindsOfKeyAndNamesThem) {
  const struct {
    std::string command, named;
  } cases[] = {
      {"openssl genrsa -out key.pem 1024", "RSA with 1024 bits"},
      {"openssl genrsa -traditional -out key.pem 1024", "RSA with 1024 bits"},
      {"openssl genrsa -primes 3 -traditional -out key.pem 2048", "more than two primes"},
      {"openssl ecparam -name secp256k1 -genkey -out key.pem", "1.3.132.0.10"},
      {kEcKey + "secp256k1 -out key.pem", "1.3.132.0.10"},
      {kEcKey + "P-256 -pkeyopt ec_param_enc:explicit -out key.pem", "without a name"},
      {"openssl ecparam -name prime256v1 -genkey -param_enc explicit -noout -out key.pem",
       "without a name"},
      {"openssl genpkey -algorithm ed448 -out key.pem", "1.3.101.113"},
      {"openssl genpkey -algorithm x25519 -out key.pem", "1.3.101.110"},
      {"openssl genpkey -algorithm RSA-PSS -out key.pem", "1.2.840.113549.1.1.10"},
  };
  for (const auto& [command, named] : cases) {
    const auto error = error_of(command);
    EXPECT_TRUE(error == Errc::unsupported_key) << command << ": " << error.message();
    EXPECT_NE(error.context.find(named), std::string::npos) << error.message();
  }
  const auto openssh = encode_pem("OPENSSH PRIVATE KEY", std::vector<std::uint8_t>{'o', 'p'});
  EXPECT_TRUE(PrivateKey::from_pem(as_text(openssh)).error() == Errc::unsupported_key);
}

TEST(PrivateKey, TellsWhatIsMissing) {
  EXPECT_TRUE(PrivateKey::from_pem("").error() == Errc::input_empty);
  EXPECT_TRUE(PrivateKey::from_pem("no key").error() == Errc::no_private_key);
  EXPECT_TRUE(error_of(kEcKey + "P-256 | head -2 >key.pem") == Errc::pem_torn);
  EXPECT_TRUE(error_of(kEcKey + "P-256 | openssl pkey -pubout -out key.pem") ==
              Errc::no_private_key);
  EXPECT_TRUE(error_of("openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=a "
                       "-out key.pem") == Errc::certificate_and_key_swapped);
}

/// A whole SEC1 key on P-256 around a scalar of any shape.
SecretBytes sec1(der::Span scalar) {
  return der::sequence({der::small_integer(1), der::octet_string(scalar),
                        der::element(der::context_constructed(0), {der::object_id(oid::kP256)})});
}

TEST(PrivateKey, TakesScalarsWithAndWithoutLeadingZeros) {
  const std::vector<std::uint8_t> shortened = {0x05};
  std::vector<std::uint8_t> full(32);
  full.back() = 0x05;
  std::vector<std::uint8_t> padded(40);
  padded.back() = 0x05;
  const auto expected = PrivateKey::from_der(sec1(full));
  ASSERT_TRUE(expected);
  for (const auto& scalar : {shortened, padded}) {
    const auto key = PrivateKey::from_der(sec1(scalar));
    ASSERT_TRUE(key) << key.error().message();
    EXPECT_EQ(as_text(key->der()), as_text(expected->der()));
  }
}

TEST(PrivateKey, RefusesScalarsOutsideTheCurvesOrder) {
  const std::vector<std::uint8_t> order = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
                                           0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                           0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
                                           0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
  auto below = order;
  --below.back();
  EXPECT_TRUE(PrivateKey::from_der(sec1(below)));
  for (const auto& scalar : {order,
                             std::vector<std::uint8_t>(32),
                             std::vector<std::uint8_t>(32, 0xff),
                             std::vector<std::uint8_t>(33, 0x01),
                             {}}) {
    const auto key = PrivateKey::from_der(sec1(scalar));
    ASSERT_FALSE(key) << to_hex(scalar);
    EXPECT_TRUE(key.error() == Errc::malformed_private_key) << key.error().message();
  }
}

TEST(PrivateKey, RefusesEveryTruncationAndAnythingAppended) {
  for (const auto type : {KeyType::ecdsa_p256, KeyType::rsa, KeyType::ed25519}) {
    const auto key = PrivateKey::generate(type);
    ASSERT_TRUE(key);
    const auto der = key->der();
    for (std::size_t size = 0; size < der.size(); ++size) {
      const auto torn = PrivateKey::from_der(der.first(size));
      ASSERT_FALSE(torn) << size;
      EXPECT_TRUE(torn.error() == Errc::malformed_private_key) << torn.error().message();
    }
    SecretBytes longer(der.begin(), der.end());
    longer.push_back(0);
    EXPECT_TRUE(PrivateKey::from_der(longer).error() == Errc::malformed_private_key);
  }
}

TEST(PrivateKey, RefusesAnRsaKeyWhoseNumbersDoNotBelongTogether) {
  const auto key = PrivateKey::generate(KeyType::rsa);
  ASSERT_TRUE(key);
  SecretBytes damaged(key->der().begin(), key->der().end());
  damaged[damaged.size() - 10] ^= 0x01;  // in the last number, the coefficient
  const auto read = PrivateKey::from_der(damaged);
  ASSERT_FALSE(read);
  EXPECT_TRUE(read.error() == Errc::malformed_private_key) << read.error().message();
}

TEST(PrivateKey, NoDamagedByteBringsTheReaderDown) {
  const auto key = PrivateKey::generate(KeyType::ecdsa_p256);
  for (std::size_t at = 0; at < key->der().size(); ++at) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      SecretBytes damaged(key->der().begin(), key->der().end());
      damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ flip);
      const auto read = PrivateKey::from_der(damaged);
      EXPECT_TRUE(!read || read->type() == KeyType::ecdsa_p256) << at;
    }
  }
}

}  // namespace
}  // namespace livetls
