#pragma once

#include <cstdint>

#include "pki/der.hpp"

namespace livetls {

/// What is to be known of a certificate's signature by its AlgorithmIdentifier.
struct SignatureAlgorithm {
  std::uint16_t scheme = 0;  ///< TLS's code for it (RFC 8446, section 4.2.3); 0 where it has none
  bool weak = false;         ///< no longer proves anything
};

/// Reads the content of an AlgorithmIdentifier, to its end. All zero for an algorithm that is not
/// known here; so is RSA-PSS but with SHA-256, 384 or 512, everywhere the same, and a salt as long.
SignatureAlgorithm read_signature_algorithm(der::Reader algorithm);

}  // namespace livetls
