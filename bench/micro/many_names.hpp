#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "livetls/pki/certificate_authority.hpp"
#include "livetls/rotation/cert_manager.hpp"

namespace livetls::bench {

/// Whether names have a certificate in common.
enum class Certificates { shared, own };

/// Issues certificates over one key, so that many are made in short time.
class Issuer {
 public:
  Certificate issue(const std::string& name) const {
    auto key = PrivateKey::from_der(key_.der()).value();
    return authority_.issue({.names = {name}}, std::move(key)).value();
  }

 private:
  CertificateAuthority authority_ = CertificateAuthority::create().value();
  PrivateKey key_ = PrivateKey::generate(KeyType::ecdsa_p256).value();
};

/// "site<number>.example.com", or "*.site<number>.example.com".
std::string site(std::size_t number);
std::string wildcard_site(std::size_t number);

/// Every name is an identity of its own.
CertSet set_of(const std::vector<std::string>& names, Certificates certificates);

/// `name(0)` to `name(count - 1)`.
std::vector<std::string> names_of(std::size_t count, std::string (*name)(std::size_t));

const Issuer& issuer();

}  // namespace livetls::bench
