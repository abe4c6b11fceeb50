#pragma once

#include <map>
#include <string>
#include <vector>

#include "pki/certificate_path.hpp"

namespace livetls::test {

using Der = std::vector<std::uint8_t>;

/// A certificate that OpenSSL is to make.
struct CertificateSpec {
  std::string subject;  ///< "CN=...", or "" for none; "/CN=..." parts by slashes, as openssl -subj
  std::string issuer;
  std::string key;         ///< "p256:name", "rsa2048:name", ...: the same text, the same key
  std::string signer_key;  ///< likewise
  std::string digest = "SHA256";
  int version = 3;
  int days_before = -10;  ///< of now: from when
  int days_after = 10;    ///< until when
  std::string serial = "01";
  bool pss = false;
  int name_type = 0x0c;  ///< of the strings in its subject: UTF8String
  int issuer_name_type = 0x0c;
  bool damaged = false;                           ///< a bit of its signature is turned
  std::map<std::string, std::string> extensions;  ///< as in openssl's configuration files

  friend bool operator<(const CertificateSpec& a, const CertificateSpec& b);
};

/// What a peer sends, and which certificates are trusted. Certificates have names by which
/// mutations find them: "leaf", "ca" above it, "upper" above that, "root".
struct Scenario {
  std::map<std::string, CertificateSpec> certificates;
  std::vector<std::string> sent;     ///< the leaf first
  std::vector<std::string> trusted;  ///< anchors
  Purpose purpose = Purpose::server_auth;
  std::string host = "host.good.example";  ///< of a server
  std::vector<std::string> mutations;      ///< by their names
};

std::string description_of(const Scenario& scenario);

/// The certificates of a scenario in DER.
struct MadeScenario {
  std::vector<Der> sent;
  std::vector<Der> trusted;
  Purpose purpose;
  std::string host;
};

/// Makes certificates with OpenSSL's libcrypto, which shares no line with livetls; each once.
class CertificateFactory {
 public:
  const Der& make(const CertificateSpec& spec);
  MadeScenario make(const Scenario& scenario);

 private:
  std::map<CertificateSpec, Der> made_;
};

}  // namespace livetls::test
