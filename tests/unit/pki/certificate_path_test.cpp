#include "pki/certificate_path.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "support/openssl_hierarchy.hpp"

namespace livetls {
namespace {

class CertificatePath : public testing::Test, protected test::OpensslHierarchy {
 protected:
  using Der = test::OpensslHierarchy::Der;

  static boost::system::error_code verdict(const std::vector<Der>& chain, const TrustBundle& roots,
                                           std::chrono::hours from_now = {}) {
    const auto now = std::chrono::system_clock::now() + from_now;
    const auto path = find_path(chain, roots, Purpose::server_auth,
                                std::chrono::floor<std::chrono::seconds>(now));
    return path ? boost::system::error_code() : path.error().code;
  }

  /// How a leaf with these names is taken below a CA with these constraints.
  boost::system::error_code verdict_below(const std::string& constraints,
                                          const std::string& names) {
    const Der middle = ca("middle", "root", constraints);
    return verdict({leaf("leaf", "middle", names), middle}, roots({"root"}));
  }
};

TEST_F(CertificatePath, LeadsToARoot) {
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

TEST_F(CertificatePath, MayHoldMoreThanThePath) {
  const Der root = ca("root", "root");
  const Der middle = ca("middle", "root");
  const Der unused = ca("unused", "root");
  const Der end = leaf("leaf", "middle");
  EXPECT_FALSE(verdict({end, unused, middle, root}, roots({"root"})));
}

TEST_F(CertificatePath, FollowsSignaturesAndNotNamesAlone) {
  ca("root", "root");
  const Der middle = ca("middle", "root");
  const Der end = leaf("leaf", "middle");
  const Der namesake = ca("middle", "root");  // of another key
  EXPECT_EQ(verdict({end, namesake}, roots({"root"})), Errc::peer_untrusted);
  EXPECT_FALSE(verdict({end, namesake, middle}, roots({"root"}))) << "both are tried";
  EXPECT_EQ(verdict({end}, roots({"middle"})), Errc::peer_untrusted) << "the namesake's root";
}

TEST_F(CertificatePath, VerifiesSignaturesOfEveryKindThatIsAccepted) {
  const std::vector<std::pair<std::string, std::string>> kinds = {
      {"ec -pkeyopt ec_paramgen_curve:P-256", "-sha256"},
      {"ec -pkeyopt ec_paramgen_curve:P-384", "-sha384"},
      {"rsa:2048", "-sha256"},
      {"rsa:2048", "-sha512"},
      {"rsa:2048", "-sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32"},
      {"ed25519", ""},
  };
  for (const auto& [key, signature] : kinds) {
    SCOPED_TRACE(key + " " + signature);
    sign_with(key, signature);
    ca("root", "root");
    const Der middle = ca("middle", "root");
    const Der end = leaf("leaf", "middle");
    const TrustBundle trusted = roots({"root"});
    EXPECT_FALSE(verdict({end, middle}, trusted));
    Der altered = end;
    altered.back() ^= 1;
    EXPECT_EQ(verdict({altered, middle}, trusted), Errc::peer_untrusted);
    ca("root", "root");  // of another key
    EXPECT_EQ(verdict({end, middle}, roots({"root"})), Errc::peer_untrusted);
  }
}

/// Of authorities of one name, where no key identifier tells them apart.
TEST_F(CertificatePath, TriesSixtyFourSignatures) {
  std::vector<std::string> namesakes;
  for (int i = 0; i < 63; ++i) {
    namesakes.push_back("namesake" + std::to_string(i));
    issue_as("root", namesakes.back(), namesakes.back());
  }
  ca("root", "root");
  const Der end = issue("leaf", "root", "authorityKeyIdentifier=none\n");
  namesakes.push_back("root");
  EXPECT_FALSE(verdict({end}, roots(namesakes)));
  issue_as("root", "one-more", "one-more");
  namesakes.insert(namesakes.begin(), "one-more");
  EXPECT_EQ(verdict({end}, roots(namesakes)), Errc::peer_untrusted) << "a 65th is needed";
  EXPECT_FALSE(verdict({leaf("leaf", "root")}, roots(namesakes))) << "with a key identifier";
}

TEST_F(CertificatePath, EndsWithoutCountlessSignatures) {
  ca("root", "root");
  std::vector<Der> chain = {leaf("leaf", "root")};
  for (int i = 0; i < 9; ++i) chain.push_back(ca("loop", "loop"));
  ca("leaf-issuer", "loop");
  chain.front() = leaf("end", "leaf-issuer");
  chain.push_back(der("leaf-issuer"));
  EXPECT_EQ(verdict(chain, roots({"root"})), Errc::peer_untrusted);
}

TEST_F(CertificatePath, HasOnlyCasAboveTheLeaf) {
  ca("root", "root");
  const Der no_ca = issue("no-ca", "root", "basicConstraints=critical,CA:FALSE\n");
  const Der says_nothing = issue("says-nothing", "root", "subjectAltName=DNS:x\n");
  const Der no_signer =
      issue("no-signer", "root", "basicConstraints=CA:TRUE\nkeyUsage=digitalSignature\n");
  for (const std::string name : {"no-ca", "says-nothing", "no-signer"}) {
    const Der end = leaf("leaf", name);
    EXPECT_EQ(verdict({end, der(name)}, roots({"root"})), Errc::peer_untrusted) << name;
    EXPECT_EQ(verdict({end}, roots({name})), Errc::peer_untrusted) << name;
    EXPECT_FALSE(verdict({der(name)}, roots({name}))) << "a leaf may be trusted as such: " << name;
  }
}

TEST_F(CertificatePath, HasNoneThatIsNotValidNow) {
  using namespace std::chrono_literals;
  ca("root", "root");
  const Der end = leaf("leaf", "root");
  EXPECT_FALSE(verdict({end}, roots({"root"})));
  EXPECT_EQ(verdict({end}, roots({"root"}), 24h * 11), Errc::peer_expired);
  EXPECT_EQ(verdict({end}, roots({"root"}), -24h), Errc::peer_expired);
}

TEST_F(CertificatePath, KeepsToPathLengths) {
  const std::string ca_of_length =
      "keyUsage=keyCertSign\nbasicConstraints=critical,CA:TRUE,pathlen:";
  issue("root", "root", ca_of_length + "1\n");
  const Der upper = issue("upper", "root", ca_of_length + "0\n");
  EXPECT_FALSE(verdict({leaf("leaf", "upper"), upper}, roots({"root"})));
  const Der lower = ca("lower", "upper");
  EXPECT_EQ(verdict({leaf("leaf2", "lower"), lower, upper}, roots({"root"})), Errc::peer_untrusted);
  EXPECT_EQ(verdict({leaf("leaf3", "lower"), lower}, roots({"upper"})), Errc::peer_untrusted);
}

/// RFC 5280, section 4.2.1.10: where a name of their type is there, and not otherwise.
TEST_F(CertificatePath, HasNoNamesWhoseConstraintsCannotBeApplied) {
  ca("root", "root");
  const char* constraints = "permitted;otherName:1.2.3.4;UTF8:x,excluded;RID:1.2.3";
  EXPECT_FALSE(verdict_below(constraints, "DNS:good.example"));
  for (const char* names : {"DNS:good.example,RID:1.2.4", "otherName:1.2.3.4;UTF8:x"}) {
    EXPECT_EQ(verdict_below(constraints, names), Errc::unenforced_name_constraints) << names;
    EXPECT_EQ(verdict({der("leaf")}, roots({"middle"})), Errc::unenforced_name_constraints);
  }
  EXPECT_EQ(verdict_below("excluded;URI:.evil.example", "URI:urn:no-host"),
            Errc::unenforced_name_constraints);
}

TEST_F(CertificatePath, SaysWhichCertificateWasWrong) {
  ca("root", "root");
  const Der middle = ca("middle", "root", "critical,permitted;DNS:other.example");
  const Der end = leaf("leaf", "middle");
  const auto reason = [](const std::vector<Der>& chain, const TrustBundle& roots) {
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    return find_path(chain, roots, Purpose::server_auth, now).error().context;
  };
  EXPECT_EQ(reason({end, middle}, roots({"root"})),
            "'CN=middle' may not vouch for all names of 'CN=leaf'");
  EXPECT_EQ(reason({end}, roots({"root"})),
            "the issuer of 'CN=leaf', 'CN=middle', is neither sent nor trusted");
}

TEST_F(CertificatePath, IsThatByWhichThePeerWasVerified) {
  const Der root = ca("root", "root");
  const Der middle = ca("middle", "root");
  const Der end = leaf("leaf", "middle");
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto path =
      find_path(std::vector{end, root, middle}, roots({"root"}), Purpose::server_auth, now);
  EXPECT_EQ(path.value(), (CertificateChain{end, middle, root}));
}

TEST_F(CertificatePath, HasNamesThatItsCasMayVouchFor) {
  ca("root", "root");
  EXPECT_FALSE(verdict_below("critical,permitted;DNS:good.example", "DNS:a.good.example"));
  EXPECT_EQ(verdict_below("permitted;DNS:good.example", "DNS:notgood.example"),
            Errc::peer_untrusted);
  EXPECT_EQ(verdict_below("excluded;DNS:a.good.example", "DNS:*.good.example"),
            Errc::peer_untrusted);
  EXPECT_FALSE(verdict_below("permitted;IP:10.0.0.0/255.0.0.0", "IP:10.1.2.3"));
  EXPECT_EQ(verdict_below("permitted;IP:10.0.0.0/255.0.0.0", "IP:11.1.2.3"), Errc::peer_untrusted);
  EXPECT_EQ(verdict({der("leaf")}, roots({"middle"})), Errc::peer_untrusted) << "a root's, too";
}

TEST_F(CertificatePath, IsConstrainedByEveryCaOnItsPath) {
  ca("root", "root");
  const Der upper = ca("upper", "root", "critical,permitted;DNS:other.example");
  const Der middle = issue("middle", "upper",
                           "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n"
                           "subjectAltName=DNS:a.other.example\n");
  const Der end = leaf("leaf", "middle", "DNS:good.example");
  EXPECT_EQ(verdict({end, middle, upper}, roots({"root"})), Errc::peer_untrusted);
  EXPECT_EQ(verdict({end, upper, middle}, roots({"root"})), Errc::peer_untrusted);
  EXPECT_EQ(verdict({end, middle}, roots({"upper"})), Errc::peer_untrusted);
  EXPECT_FALSE(
      verdict({leaf("leaf2", "middle", "DNS:b.other.example"), middle, upper}, roots({"root"})));
}

/// An intermediate that a constrained one has issued in its own name, or in the root's.
TEST_F(CertificatePath, IsConstrainedAlsoByCasThatHideBehindANamesake) {
  ca("root", "root");
  const Der constrained = ca("middle", "root", "critical,permitted;DNS:other.example");
  for (const std::string name : {"middle", "root"}) {
    const Der hidden = issue_as(name, "hidden", "middle");
    const Der end = leaf("leaf", "hidden", "DNS:good.example");
    EXPECT_EQ(verdict({end, hidden, constrained}, roots({"root"})), Errc::peer_untrusted) << name;
    EXPECT_EQ(verdict({end, hidden}, roots({"root"})), Errc::peer_untrusted) << name;
    EXPECT_EQ(verdict({end}, roots({"root"})), Errc::peer_untrusted) << name;
  }
}

}  // namespace
}  // namespace livetls
