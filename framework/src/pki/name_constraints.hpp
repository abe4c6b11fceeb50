#pragma once

#include <string>
#include <vector>

#include "pki/parsed_certificate.hpp"

namespace livetls {

/// The names of a leaf that constraints are about.
struct ConstrainedNames {
  std::vector<std::string> dns;
  std::vector<std::vector<std::uint8_t>> ip;
};

/// Whether a CA with these constraints may vouch for all of these names (RFC 5280, section
/// 4.2.1.10): each is below a permitted one, where there are such of its type, and below no
/// excluded one. A wildcard must be so for all that it stands for.
bool are_allowed(const ConstrainedNames& names, const NameConstraints& constraints);

}  // namespace livetls
