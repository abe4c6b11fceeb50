#include "certificates.hpp"

#include <algorithm>

namespace livetls::demo {

Certificates::Certificates(const Options& options)
    : authority_(CertificateAuthority::create({.organization = "livetls demo"}).value()) {
  if (options.rsa_too) rsa_key_ = PrivateKey::generate(KeyType::rsa).value();
  // An even number, so that the kinds of keys take turns also at the end.
  const std::size_t count = std::min(options.ready + options.ready % 2, kMostReady);
  ready_.reserve(count);
  while (ready_.size() < count) ready_.push_back(issue(ready_.size()));
}

Certificate Certificates::next() {
  const std::size_t number = given_++;
  return ready_.empty() ? issue(number) : ready_[number % ready_.size()];
}

Certificate Certificates::issue(std::size_t number) const {
  if (!rsa_key_ || number % 2 == 0) return authority_.issue().value();
  PrivateKey key = PrivateKey::from_der(rsa_key_->der()).value();
  return authority_.issue({.key_type = KeyType::rsa}, std::move(key)).value();
}

}  // namespace livetls::demo
