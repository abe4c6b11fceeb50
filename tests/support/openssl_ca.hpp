#pragma once

#include <string>

#include "livetls/pki/certificate.hpp"
#include "livetls/pki/trust_bundle.hpp"
#include "support/shell.hpp"
#include "support/temporary_directory.hpp"

namespace livetls::test {

/// An authority made and run with openssl's tools, which also answers for what it has issued.
class OpensslCa {
 public:
  OpensslCa() {
    must_run(directory_.path(),
             kRequest + "-x509 -keyout ca.key -out ca.pem -subj '/CN=CA' -days 30");
  }

  std::string root_file() const { return (directory_ / "ca.pem").string(); }
  TrustBundle roots() const { return TrustBundle::load(root_file()).value(); }

  /// For localhost, with the authority in the chain.
  Certificate issue() {
    const std::string name = "leaf" + std::to_string(++issued_);
    const std::string serial = std::to_string(1000 + issued_);
    must_run(directory_.path(),
             kRequest + "-keyout " + name + ".key -out " + name + ".csr -subj '/CN=localhost' && " +
                 "printf 'subjectAltName=DNS:localhost' > names && openssl x509 -req -in " + name +
                 ".csr -CA ca.pem -CAkey ca.key -set_serial " + serial +
                 " -days 20 -extfile names -out " + name + ".leaf && cat " + name +
                 ".leaf ca.pem > " + name + ".pem");
    return Certificate::load(directory_ / (name + ".pem"), directory_ / (name + ".key")).value();
  }

  /// What the authority says of a certificate: "V" for valid, "R" for revoked. In DER, good for an
  /// hour.
  std::string answer_about(const Certificate& certificate, char status = 'V') {
    const std::string when = status == 'R' ? "260101000000Z" : "";
    directory_.write("index", std::string(1, status) + "\t400101000000Z\t" + when + "\t" +
                                  upper(certificate.leaf().serial) + "\tunknown\t/CN=localhost\n");
    must_run(directory_.path(),
             "openssl ocsp -index index -CA ca.pem -rsigner ca.pem -rkey ca.key "
             "-issuer ca.pem -serial 0x" +
                 certificate.leaf().serial + " -respout answer -nmin 60 -noverify");
    return directory_.read("answer");
  }

 private:
  static std::string upper(std::string text) {
    for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return text;
  }

  inline static const std::string kRequest =
      "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes ";

  TemporaryDirectory directory_;
  int issued_ = 0;
};

inline std::span<const std::uint8_t> as_bytes(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace livetls::test
