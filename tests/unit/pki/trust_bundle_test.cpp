#include "livetls/pki/trust_bundle.hpp"

#include <gtest/gtest.h>

#include "livetls/pki/certificate.hpp"
#include "livetls/pki/self_signed.hpp"
#include "pki/pem.hpp"
#include "support/openssl_hierarchy.hpp"
#include "support/temporary_directory.hpp"

namespace livetls {
namespace {

using test::TemporaryDirectory;

TEST(TrustBundle, HoldsEachCertificateOnceInItsOrder) {
  const auto first = self_signed().value();
  const auto second = self_signed().value();
  const auto bundle =
      TrustBundle::from_pem("# roots\n" + first.to_pem() + second.to_pem() + first.to_pem());
  ASSERT_TRUE(bundle) << bundle.error().message();
  ASSERT_EQ(bundle->certificates().size(), 2u);
  EXPECT_EQ(bundle->certificates()[0], first.chain().front());
  EXPECT_EQ(bundle->certificates()[1], second.chain().front());

  const TemporaryDirectory directory;
  const auto loaded = TrustBundle::load(directory.write("a", first.to_pem() + second.to_pem()));
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ(*loaded, *bundle);
  EXPECT_FALSE(*TrustBundle::from_pem(first.to_pem()) == *bundle);
}

TEST(TrustBundle, EachBadInputHasItsReasonAndNamesTheFile) {
  const auto certificate = self_signed().value();
  const auto pem = certificate.to_pem();
  const std::string damaged(as_text(encode_pem("CERTIFICATE", std::vector<std::uint8_t>{0x30})));
  const struct {
    std::string content;
    Errc expected;
    std::string context;
  } cases[] = {
      {"", Errc::input_empty, "/file"},
      {"no certificate", Errc::no_certificate, "/file"},
      {std::string(as_text(certificate.private_key().to_pem())), Errc::no_certificate, "/file"},
      {pem.substr(0, pem.size() - 30), Errc::pem_torn, "/file: block 1"},
      {pem + damaged, Errc::malformed_certificate, "/file: certificate 2"},
      {std::string(TrustBundle::kMaxInputBytes + 1, '\n'), Errc::input_too_large, "/file"},
  };
  const TemporaryDirectory directory;
  for (const auto& each : cases) {
    const auto bundle = TrustBundle::load(directory.write("file", each.content));
    ASSERT_FALSE(bundle) << make_error_code(each.expected).message();
    EXPECT_TRUE(bundle.error() == each.expected) << bundle.error().message();
    EXPECT_EQ(bundle.error().context, directory.path().string() + each.context);
  }
  const auto missing = TrustBundle::load(directory / "missing");
  ASSERT_FALSE(missing);
  EXPECT_TRUE(missing.error() == Errc::file_unreadable);
  EXPECT_NE(missing.error().context.find("/missing: No such file"), std::string::npos);
}

TEST(TrustBundle, TheSystemsRootsAreThereOrSaidToBeMissing) {
  const auto bundle = TrustBundle::system();
  if (std::filesystem::exists("/etc/ssl/certs/ca-certificates.crt")) {
    ASSERT_TRUE(bundle) << bundle.error().message();
    EXPECT_GT(bundle->certificates().size(), 50u);
  } else if (!bundle) {
    EXPECT_TRUE(bundle.error() == Errc::file_unreadable) << bundle.error().message();
  }
}

/// One root that cannot be used must not cost all the others.
TEST(TrustBundle, LeavesOutKeysThatAreNotSupportedAndSaysSo) {
  test::OpensslHierarchy hierarchy;
  hierarchy.ca("usual", "usual");
  hierarchy.sign_with("ec -pkeyopt ec_paramgen_curve:secp256k1", "-sha256");
  hierarchy.ca("unusual", "unusual");
  const TrustBundle bundle = hierarchy.roots({"unusual", "usual"});
  EXPECT_EQ(bundle.certificates().size(), 1U);
  ASSERT_EQ(bundle.left_out().size(), 1U);
  EXPECT_EQ(bundle.left_out().front(), Errc::unsupported_key);
  EXPECT_EQ(bundle.left_out().front().context, "certificate 1: elliptic curve 1.3.132.0.10");
  EXPECT_TRUE(hierarchy.roots({"usual"}).left_out().empty());
  const SecretBytes alone = encode_pem("CERTIFICATE", hierarchy.der("unusual"));
  EXPECT_EQ(TrustBundle::from_pem(as_text(alone)).error(), Errc::unsupported_key);
}

}  // namespace
}  // namespace livetls
