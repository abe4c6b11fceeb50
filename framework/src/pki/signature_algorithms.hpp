#pragma once

#include <cstdint>

#include "pki/der.hpp"

namespace livetls {

/// What is to be known of a certificate's signature by its AlgorithmIdentifier's OID.
struct SignatureAlgorithm {
  std::uint16_t scheme = 0;  ///< TLS's code for it (RFC 8446, section 4.2.3); 0 where it has none
  bool weak = false;         ///< no longer proves anything
};

/// All zero for an algorithm that is not known here.
SignatureAlgorithm signature_algorithm_of(der::Span object_id);

}  // namespace livetls
