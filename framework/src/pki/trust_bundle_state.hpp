#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "livetls/pki/trust_bundle.hpp"
#include "pki/parsed_certificate.hpp"

namespace livetls {

struct TrustBundle::State {
  std::vector<std::vector<std::uint8_t>> certificates;
  std::vector<ParsedCertificate> anchors;  ///< the same, parsed
  std::multimap<CanonicalName, const ParsedCertificate*> by_subject;
  std::vector<Error> left_out;
  std::size_t subject_bytes = 0;
};

}  // namespace livetls
