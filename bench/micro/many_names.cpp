#include "many_names.hpp"

namespace livetls::bench {

const Issuer& issuer() {
  static const Issuer one;
  return one;
}

std::string site(std::size_t number) { return "site" + std::to_string(number) + ".example.com"; }

std::string wildcard_site(std::size_t number) { return "*." + site(number); }

std::vector<std::string> names_of(std::size_t count, std::string (*name)(std::size_t)) {
  std::vector<std::string> names;
  names.reserve(count);
  for (std::size_t i = 0; i < count; ++i) names.push_back(name(i));
  return names;
}

CertSet set_of(const std::vector<std::string>& names, Certificates certificates) {
  static const Certificate shared = issuer().issue("shared.example.com");
  CertSet set{.default_identity = issuer().issue("default.example.com")};
  for (const std::string& name : names) {
    set.identities.emplace(name,
                           certificates == Certificates::shared ? shared : issuer().issue(name));
  }
  return set;
}

}  // namespace livetls::bench
