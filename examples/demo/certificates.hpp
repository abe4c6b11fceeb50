#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "livetls/pki/certificate_authority.hpp"

namespace livetls::demo {

/// What the servers are given, one certificate after the other, from an authority of their own.
class Certificates {
 public:
  struct Options {
    bool rsa_too = true;    ///< ECDSA and RSA in turn; else ECDSA alone
    std::size_t ready = 0;  ///< how many are made now; kMostReady at most
  };
  static constexpr std::size_t kMostReady = 4096;

  explicit Certificates(const Options& options);

  /// One that was made ready, from the first again after the last; a fresh one where none was.
  Certificate next();

  std::string root_pem() const { return authority_.root_pem(); }

 private:
  Certificate issue(std::size_t number) const;

  CertificateAuthority authority_;
  std::optional<PrivateKey> rsa_key_;  // one for all: making it takes long
  std::vector<Certificate> ready_;
  std::size_t given_ = 0;
};

}  // namespace livetls::demo
