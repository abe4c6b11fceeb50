#include "livetls/pki/certificate.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "livetls/pki/certificate_authority.hpp"
#include "livetls/pki/self_signed.hpp"
#include "pki/pem.hpp"
#include "support/shell.hpp"
#include "support/temporary_directory.hpp"

namespace livetls {
namespace {

using test::must_run;
using test::TemporaryDirectory;

std::string key_pem(const Certificate& certificate) {
  return std::string(as_text(certificate.private_key().to_pem()));
}

std::string with_crlf(std::string text) {
  for (auto at = text.find('\n'); at != text.npos; at = text.find('\n', at + 2)) {
    text.replace(at, 1, "\r\n");
  }
  return text;
}

/// A certificate of an intermediate authority, shared because making it takes time.
const Certificate& issued() {
  static const Certificate kCertificate = [] {
    const auto authority = CertificateAuthority::create().value();
    return authority.create_intermediate({}).value().issue().value();
  }();
  return kCertificate;
}

const Certificate& other() {
  static const Certificate kCertificate = self_signed().value();
  return kCertificate;
}

TEST(Certificate, ReadsWhatItWrites) {
  const auto& original = issued();
  const auto again = Certificate::from_pem(original.to_pem(), key_pem(original));
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(*again, original);
  EXPECT_EQ(again->chain().size(), 2u);
  EXPECT_EQ(again->leaf().fingerprint, original.leaf().fingerprint);
  EXPECT_EQ(as_text(again->private_key().der()), as_text(original.private_key().der()));
  EXPECT_FALSE(*again == other());
}

TEST(Certificate, LoadsFilesThatOpensslMade) {
  const std::string keys[] = {"ec -pkeyopt ec_paramgen_curve:P-256",
                              "ec -pkeyopt ec_paramgen_curve:P-384",
                              "ec -pkeyopt ec_paramgen_curve:P-521", "rsa:2048", "ed25519"};
  for (const auto& key : keys) {
    SCOPED_TRACE(key);
    const TemporaryDirectory directory;
    must_run(directory.path(),
             "openssl req -x509 -nodes -keyout key.pem -out cert.pem -subj /CN=a "
             "-newkey " +
                 key);
    const auto certificate = Certificate::load(directory / "cert.pem", directory / "key.pem");
    ASSERT_TRUE(certificate) << certificate.error().message();
    EXPECT_EQ(certificate->leaf().subject, "CN=a");

    directory.write("copy.pem", certificate->to_pem());
    const std::string to_der = "openssl x509 -outform DER -in ";
    EXPECT_EQ(must_run(directory.path(), to_der + "copy.pem"),
              must_run(directory.path(), to_der + "cert.pem"));
  }
}

TEST(Certificate, ToleratesHowFilesAreWrittenInPractice) {
  const auto chain = issued().to_pem();
  const auto key = key_pem(issued());
  const std::string parameters =
      "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
  const struct {
    std::string name, certificate, key;
  } cases[] = {
      {"CRLF", with_crlf(chain), with_crlf(key)},
      {"text around", "Subject: me\n" + chain + "the end", "Bag Attributes\n" + key + "\n\n"},
      {"parameters first", chain, parameters + key},
      {"one file, key first", key + chain, key + chain},
      {"one file, key last", chain + key, chain + key},
      {"no newline at the end", chain.substr(0, chain.size() - 1), key.substr(0, key.size() - 1)},
      {"byte order mark", "\xef\xbb\xbf" + chain, "\xef\xbb\xbf" + key},
  };
  for (const auto& each : cases) {
    const auto certificate = Certificate::from_pem(each.certificate, each.key);
    ASSERT_TRUE(certificate) << each.name << ": " << certificate.error().message();
    EXPECT_EQ(*certificate, issued()) << each.name;
  }
}

TEST(Certificate, FollowsSymbolicLinks) {
  const TemporaryDirectory directory;
  std::filesystem::create_symlink(directory.write("real.pem", other().to_pem() + key_pem(other())),
                                  directory / "link.pem");
  const auto certificate = Certificate::load(directory / "link.pem", directory / "link.pem");
  EXPECT_TRUE(certificate) << certificate.error().message();
}

/// Good files and bad ones, under names that the table below uses.
void write_inputs(const TemporaryDirectory& directory) {
  const auto cert = issued().to_pem();
  const auto key = key_pem(issued());
  const auto leaf_end = cert.find("-----BEGIN", 1);
  const auto leaf = cert.substr(0, leaf_end);
  const auto intermediate = cert.substr(leaf_end);
  const auto some_bytes =
      std::string(as_text(encode_pem("CERTIFICATE", std::vector<std::uint8_t>(20, 0x30))));
  directory.write("cert", cert);
  directory.write("key", key);
  directory.write("empty", "");
  directory.write("blank", "\n \r\n");
  directory.write("text", "just some text\n");
  directory.write("large", std::string(Certificate::kMaxInputBytes + 1, '\n'));
  directory.write("torn_cert", cert.substr(0, cert.size() - 50));
  directory.write("headless_cert", cert.substr(40));
  directory.write("damaged_cert", leaf + some_bytes);
  directory.write("damaged_leaf", some_bytes + intermediate);
  directory.write("reversed_cert", intermediate + leaf);
  directory.write("torn_key", key.substr(0, key.size() - 40));
  directory.write("other_key", key_pem(other()));
  directory.write("damaged_key",
                  as_text(encode_pem("PRIVATE KEY", std::vector<std::uint8_t>(20, 0x30))));
  std::filesystem::create_directory(directory / "directory");
  ASSERT_EQ(::mkfifo((directory / "fifo").c_str(), 0600), 0);
  must_run(directory.path(),
           "openssl pkey -aes256 -passout pass:secret -in key -out encrypted_key;"
           "openssl ec -aes256 -passout pass:secret -in key -out legacy_encrypted_key;"
           "openssl genrsa -out small_key 1024;"
           "openssl req -x509 -new -key small_key -subj /CN=small -out small_cert");
}

TEST(Certificate, EachBadInputHasItsReasonAndNamesTheFile) {
  const TemporaryDirectory directory;
  write_inputs(directory);
  const struct {
    std::string certificate, key;
    Errc expected;
    std::string context;
  } cases[] = {
      {"missing", "key", Errc::file_unreadable, "/missing: No such file"},
      {"cert", "missing", Errc::file_unreadable, "/missing: No such file"},
      {"directory", "key", Errc::file_unreadable, "/directory: Is a directory"},
      {"cert", "directory", Errc::file_unreadable, "/directory: Is a directory"},
      {"fifo", "key", Errc::file_unreadable, "/fifo: not a regular file"},
      {"cert", "fifo", Errc::file_unreadable, "/fifo: not a regular file"},
      {"large", "key", Errc::input_too_large, "/large"},
      {"cert", "large", Errc::input_too_large, "/large"},
      {"empty", "key", Errc::input_empty, "/empty"},
      {"cert", "empty", Errc::input_empty, "/empty"},
      {"blank", "key", Errc::input_empty, "/blank"},
      {"torn_cert", "key", Errc::pem_torn, "/torn_cert: block 2"},
      {"headless_cert", "key", Errc::pem_torn, "/headless_cert: block 1"},
      {"cert", "torn_key", Errc::pem_torn, "/torn_key: block 1"},
      {"text", "key", Errc::no_certificate, "/text"},
      {"cert", "text", Errc::no_private_key, "/text"},
      {"damaged_cert", "key", Errc::malformed_certificate, "/damaged_cert: certificate 2 of 2"},
      {"damaged_leaf", "key", Errc::malformed_certificate, "/damaged_leaf: certificate 1 of 2"},
      {"small_cert", "key", Errc::unsupported_key,
       "/small_cert: certificate 1 of 1: RSA with 1024 bits"},
      {"cert", "small_key", Errc::unsupported_key, "/small_key: RSA with 1024 bits"},
      {"cert", "damaged_key", Errc::malformed_private_key, "/damaged_key"},
      {"cert", "encrypted_key", Errc::encrypted_private_key, "/encrypted_key"},
      {"cert", "legacy_encrypted_key", Errc::encrypted_private_key, "/legacy_encrypted_key"},
      {"key", "cert", Errc::certificate_and_key_swapped, "/key"},
      {"cert", "cert", Errc::certificate_and_key_swapped, "/cert"},
      {"key", "key", Errc::certificate_and_key_swapped, "/key"},
      {"cert", "other_key", Errc::key_mismatch, "/cert and "},
      {"cert", "other_key", Errc::key_mismatch, "/other_key"},
      {"reversed_cert", "key", Errc::key_mismatch, "it fits certificate 2 of the chain"},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.certificate + ", " + each.key);
    const auto result = Certificate::load(directory / each.certificate, directory / each.key);
    ASSERT_FALSE(result);
    EXPECT_TRUE(result.error() == each.expected) << result.error().message();
    EXPECT_NE(result.error().context.find(each.context), std::string::npos)
        << result.error().message();
  }
}

TEST(Certificate, AFileWithoutPermissionIsUnreadable) {
  if (::geteuid() == 0) GTEST_SKIP() << "root reads everything";
  const TemporaryDirectory directory;
  const auto cert = directory.write("cert.pem", other().to_pem());
  const auto key = directory.write("key.pem", key_pem(other()));
  std::filesystem::permissions(key, std::filesystem::perms::none);
  const auto result = Certificate::load(cert, key);
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error() == Errc::file_unreadable);
  EXPECT_EQ(result.error().context, key.string() + ": Permission denied");
}

TEST(Certificate, ErrorsFromMemoryNameTheArgument) {
  const auto cert = other().to_pem();
  const auto key = key_pem(other());
  const std::string large(Certificate::kMaxInputBytes + 1, '\n');
  EXPECT_EQ(Certificate::from_pem("", key).error().context, "certificate");
  EXPECT_EQ(Certificate::from_pem(cert, "").error().context, "private key");
  EXPECT_EQ(Certificate::from_pem(cert, key_pem(issued())).error().context,
            "certificate and private key");
  EXPECT_TRUE(Certificate::from_pem(large, key).error() == Errc::input_too_large);
  EXPECT_TRUE(Certificate::from_pem(cert, large).error() == Errc::input_too_large);
}

TEST(Certificate, PartsMustFitToo) {
  const auto chain = [](const Certificate& certificate) {
    return std::vector(certificate.chain().begin(), certificate.chain().end());
  };
  const auto key = [](const Certificate& certificate) {
    return PrivateKey::from_der(certificate.private_key().der()).value();
  };
  EXPECT_TRUE(Certificate::from_parts({}, key(other())).error() == Errc::no_certificate);
  EXPECT_TRUE(Certificate::from_parts({{1, 2}}, key(other())).error() ==
              Errc::malformed_certificate);
  EXPECT_TRUE(Certificate::from_parts(chain(issued()), key(other())).error() == Errc::key_mismatch);
  const auto certificate = Certificate::from_parts(chain(issued()), key(issued()));
  ASSERT_TRUE(certificate);
  EXPECT_EQ(*certificate, issued());
}

}  // namespace
}  // namespace livetls
