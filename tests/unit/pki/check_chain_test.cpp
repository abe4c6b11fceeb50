#include "pki/check_chain.hpp"

#include <gtest/gtest.h>

#include "pki/parsed_certificate.hpp"
#include "support/crafted_certificates.hpp"
#include "support/openssl_hierarchy.hpp"

namespace livetls {
namespace {

class CheckChain : public testing::Test, protected test::OpensslHierarchy {
 protected:
  using Der = test::OpensslHierarchy::Der;

  /// Which says that it was issued by `issuer`, but with another's key.
  static Der leaf_in_the_name_of(const Der& issuer, const Der& key_id) {
    using namespace test;
    const auto key = PrivateKey::generate(KeyType::ecdsa_p256).value();
    const Der id = der_of(der::context_primitive(0), {key_id});
    const Der tbs = der_of(
        der::kSequence,
        {version3(), test::serial(), der_of(der::kSequence, {ecdsa_with_sha256()}),
         parse_certificate(issuer)->subject, validity(), parse_certificate(issuer)->subject,
         key.public_key_der(),
         extensions({alternative_name("good.example"),
                     extension(oid::kAuthorityKeyIdentifier, der_of(der::kSequence, {id}))})});
    return sign(tbs, key);
  }

  static boost::system::error_code verdict(const std::vector<Der>& chain,
                                           const TrustBundle& roots) {
    const auto checked = check_chain(chain, roots);
    return checked ? boost::system::error_code() : checked.error().code;
  }
};

TEST_F(CheckChain, LeadsToARoot) {
  ca("root", "root");
  ca("other", "other");
  const Der middle = ca("middle", "root");
  const Der end = leaf("leaf", "middle");
  EXPECT_FALSE(verdict({end, middle}, roots({"root"})));
  EXPECT_FALSE(verdict({end, middle}, roots({"other", "root"})));
  EXPECT_FALSE(verdict({end}, roots({"middle"}))) << "an intermediate may be trusted, too";
  EXPECT_EQ(verdict({end}, roots({"root"})), Errc::peer_untrusted) << "its issuer was not sent";
  EXPECT_EQ(verdict({end, middle}, roots({"other"})), Errc::peer_untrusted);
  EXPECT_EQ(verdict({}, roots({"root"})), Errc::peer_sent_no_certificate);
}

TEST_F(CheckChain, MayHoldMoreThanThePath) {
  const Der root = ca("root", "root");
  const Der middle = ca("middle", "root");
  const Der unused = ca("unused", "root");
  const Der end = leaf("leaf", "middle");
  EXPECT_FALSE(verdict({end, unused, middle, root}, roots({"root"})));
}

TEST_F(CheckChain, LeavesToTheLibraryWhatItEnforces) {
  ca("root", "root");
  ca("constrained-root", "constrained-root", "critical,permitted;DNS:good.example");
  const Der middle =
      ca("middle", "root", "critical,permitted;DNS:.good.example,excluded;email:evil.example");
  EXPECT_FALSE(verdict({leaf("leaf", "middle"), middle}, roots({"root"})));
  EXPECT_FALSE(verdict({leaf("leaf2", "constrained-root")}, roots({"constrained-root"})));
}

TEST_F(CheckChain, HasNoConstraintsOfOtherTypes) {
  ca("root", "root");
  for (const char* constraint :
       {"permitted;URI:.good.example", "excluded;URI:evil.example", "critical,permitted;URI:x",
        "permitted;IP:10.0.0.0/255.0.0.0", "excluded;IP:0.0.0.0/0.0.0.0",
        "permitted;DNS:good.example,permitted;IP:10.0.0.0/255.0.0.0",
        "permitted;otherName:1.2.3.4;UTF8:x", "excluded;RID:1.2.3"}) {
    SCOPED_TRACE(constraint);
    const Der middle = ca("middle", "root", constraint);
    EXPECT_EQ(verdict({leaf("leaf", "middle"), middle}, roots({"root"})),
              Errc::unenforced_name_constraints);
    EXPECT_EQ(verdict({leaf("leaf", "middle")}, roots({"middle"})),
              Errc::unenforced_name_constraints);
  }
}

TEST_F(CheckChain, HasNoConstraintsFurtherUp) {
  ca("root", "root");
  ca("constrained-root", "constrained-root", "permitted;DNS:good.example");
  const Der upper = ca("upper", "root", "critical,permitted;DNS:good.example");
  const Der middle = ca("middle", "upper");
  const Der below = ca("below", "constrained-root");
  const Der end = leaf("leaf", "middle");
  EXPECT_EQ(verdict({end, middle, upper}, roots({"root"})), Errc::unenforced_name_constraints);
  EXPECT_EQ(verdict({end, upper, middle}, roots({"root"})), Errc::unenforced_name_constraints)
      << "in whatever order";
  EXPECT_EQ(verdict({end, middle}, roots({"upper"})), Errc::unenforced_name_constraints);
  EXPECT_EQ(verdict({leaf("leaf2", "below"), below}, roots({"constrained-root"})),
            Errc::unenforced_name_constraints);
}

/// The library goes by key identifiers, whatever name the issuer has.
TEST_F(CheckChain, FindsConstraintsBehindAnotherName) {
  const Der root = ca("root", "root");
  ca("constrained", "constrained", "permitted;URI:.good.example");
  const Der middle = ca("middle", "root", "permitted;URI:.good.example");
  for (const std::string issuer : {"constrained", "middle"}) {
    const Der end = leaf_in_the_name_of(root, parse_certificate(der(issuer))->subject_key_id);
    EXPECT_EQ(verdict({end, middle}, roots({"root", "constrained"})),
              Errc::unenforced_name_constraints)
        << issuer;
  }
}

}  // namespace
}  // namespace livetls
