#pragma once

#include <chrono>
#include <string>

#include "livetls/base/result.hpp"
#include "livetls/pki/certificate.hpp"
#include "livetls/pki/self_signed.hpp"
#include "livetls/pki/trust_bundle.hpp"

namespace livetls {

/// A small private authority for development, demonstrations and tests: clients that trust its root
/// accept what it issues. Safe to use from several threads.
class CertificateAuthority {
 public:
  struct Options {
    std::string organization = "livetls development CA";
    std::chrono::seconds lifetime = std::chrono::days{365};
    KeyType key_type = KeyType::ecdsa_p256;
    std::optional<std::chrono::sys_seconds> now = {};
  };

  /// Errors: key_generation_failed.
  static Result<CertificateAuthority> create(const Options& options);
  static Result<CertificateAuthority> create() { return create({}); }

  /// An intermediate authority under this one: what it issues carries it in the chain.
  Result<CertificateAuthority> create_intermediate(const Options& options) const;

  /// A certificate with a fresh key. Errors: invalid_server_name, key_generation_failed.
  Result<Certificate> issue(const CertificateRequest& request = {}) const;

  /// A certificate for a key that exists already, of which only the type must be what was asked.
  Result<Certificate> issue(const CertificateRequest& request, PrivateKey key) const;

  /// The root, for clients.
  TrustBundle trust_bundle() const;
  std::string root_pem() const;

 private:
  CertificateAuthority(Certificate certificate, std::vector<std::uint8_t> root)
      : certificate_(std::move(certificate)), root_(std::move(root)) {}

  Certificate certificate_;
  std::vector<std::uint8_t> root_;
};

}  // namespace livetls
