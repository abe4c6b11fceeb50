#pragma once

#include <cstddef>
#include <vector>

#include "pki/parsed_certificate.hpp"

namespace livetls {

enum class NamesAllowed {
  yes,
  no,
  unknown,  ///< a name is of a type whose constraints are not enforced here
};

/// Compares names with the constraints of the CAs above them (RFC 5280, section 4.2.1.10), for one
/// path.
class ConstraintCheck {
 public:
  /// Comparisons of up to 64 bytes, for all of a search: no honest chain needs as many. Beyond, no
  /// name is allowed.
  static constexpr std::size_t kMaxWork = 100'000;

  /// Whether a CA with these constraints may vouch for all names of `below`: each name is within a
  /// permitted subtree, where there are such of its type, and within no excluded one. A wildcard
  /// must be so for all that it stands for. `is_leaf`: a common name that looks like a host name
  /// counts as one, where no alternative name does.
  NamesAllowed check(const ParsedCertificate& below, bool is_leaf,
                     const NameConstraints& constraints);

 private:
  std::size_t work_ = 0;
};

}  // namespace livetls
