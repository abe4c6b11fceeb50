#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "livetls/pki/certificate.hpp"
#include "livetls/pki/trust_bundle.hpp"
#include "pki/pem.hpp"
#include "support/shell.hpp"
#include "support/temporary_directory.hpp"

namespace livetls::test {

/// Certificates made with openssl's tools, known by their common names, each issued by another.
class OpensslHierarchy {
 public:
  using Der = std::vector<std::uint8_t>;

  /// Keys and signatures of the certificates made from here on, in openssl's options.
  void sign_with(const std::string& new_key, const std::string& signature) {
    new_key_ = new_key;
    signature_ = signature;
  }

  /// `extensions`: lines of openssl's configuration. One that is its own issuer signs itself.
  Der issue(const std::string& name, const std::string& issuer, const std::string& extensions) {
    return make(name, name, issuer, extensions);
  }

  /// A CA in files called `name` whose certificate says another name, issued by a third.
  Der issue_as(const std::string& common_name, const std::string& name, const std::string& issuer) {
    return make(common_name, name, issuer,
                "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n");
  }

  Der ca(const std::string& name, const std::string& issuer, const std::string& constraints = "") {
    return issue(name, issuer,
                 "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
                 "subjectKeyIdentifier=hash\n" +
                     (constraints.empty() ? "" : "nameConstraints=" + constraints + "\n"));
  }

  Der leaf(const std::string& name, const std::string& issuer,
           const std::string& names = "DNS:good.example") {
    return issue(name, issuer, "subjectAltName=" + names + "\n");
  }

  Der der(const std::string& name) const {
    const auto blocks = parse_pem(directory_.read(name + ".pem"), 100'000);
    const SecretBytes& der = blocks->at(0).der;
    return {der.begin(), der.end()};
  }

  /// What a server or a client presents: the leaf first.
  Certificate chain(const std::vector<std::string>& names) const {
    return Certificate::from_pem(pem(names), directory_.read(names.front() + ".key")).value();
  }

  TrustBundle roots(const std::vector<std::string>& names) const {
    return TrustBundle::from_pem(pem(names)).value();
  }

 private:
  Der make(const std::string& common_name, const std::string& name, const std::string& issuer,
           const std::string& extensions) {
    directory_.write("extensions", extensions);
    const std::string signer = issuer == name ? "-signkey " + name + ".key"
                                              : "-CA " + issuer + ".pem -CAkey " + issuer + ".key";
    must_run(directory_.path(),
             "openssl req -new -newkey " + new_key_ + " -nodes -subj '/CN=" + common_name +
                 "' -keyout " + name + ".key -out csr && openssl x509 -req -in csr -days 10 " +
                 signature_ + " " + signer + " -set_serial " + std::to_string(++serial_) +
                 " -extfile extensions -out " + name + ".pem");
    return der(name);
  }

  std::string pem(const std::vector<std::string>& names) const {
    std::string all;
    for (const auto& name : names) all += directory_.read(name + ".pem");
    return all;
  }

  TemporaryDirectory directory_;
  std::string new_key_ = "ec -pkeyopt ec_paramgen_curve:P-256";
  std::string signature_;
  int serial_ = 0;
};

}  // namespace livetls::test
