#include "livetls/rotation/revoked_key.hpp"

#include <algorithm>

namespace livetls {
namespace {

std::vector<std::string> names_of(const CertificateInfo& leaf) {
  std::vector<std::string> names = leaf.ip_names;
  for (const std::string& name : leaf.dns_names) {
    const auto pattern = NamePattern::parse(name);
    names.push_back(pattern ? pattern->text() : name);
  }
  return names;
}

}  // namespace

RevokedKey RevokedKey::of(const Certificate& certificate) {
  return {certificate.leaf().public_key_fingerprint, names_of(certificate.leaf())};
}

bool RevokedKey::is_of(const Certificate& certificate) const {
  return key == certificate.leaf().public_key_fingerprint;
}

bool RevokedKey::shares_a_name_with(const CertificateInfo& leaf) const {
  const std::vector<std::string> others = names_of(leaf);
  if (names.empty() && others.empty()) return true;  // their tickets are not told apart, either
  return std::ranges::any_of(others, [&](const std::string& name) {
    return std::ranges::find(names, name) != names.end();
  });
}

}  // namespace livetls
