#pragma once

#include <string>

#include "livetls/pki/certificate_authority.hpp"
#include "support/temporary_directory.hpp"

namespace livetls::test {

/// An authority whose root is also in a file, for curl and openssl.
class TestCa {
 public:
  TestCa() : authority_(CertificateAuthority::create().value()) {
    directory_.write("ca.pem", authority_.root_pem());
  }

  std::string root_file() const { return (directory_ / "ca.pem").string(); }
  TrustBundle roots() const { return authority_.trust_bundle(); }

  /// For localhost. Tests tell certificates apart by the organisation.
  Certificate issue(std::string organization, KeyType key_type = KeyType::ecdsa_p256) const {
    return authority_.issue({.organization = std::move(organization), .key_type = key_type})
        .value();
  }

  Certificate issue_for(std::string name) const {
    return authority_.issue({.names = {std::move(name)}}).value();
  }

 private:
  TemporaryDirectory directory_;
  CertificateAuthority authority_;
};

}  // namespace livetls::test
