#pragma once

#include <span>

#include "pki/parsed_certificate.hpp"

namespace livetls {

/// Whether some certificate policy holds for a whole path, or none is required by its CAs (RFC
/// 5280, section 6.1, where any policy will do). `path`: the leaf first, without the trust
/// anchor.
bool are_policies_valid(std::span<const ParsedCertificate* const> path);

}  // namespace livetls
