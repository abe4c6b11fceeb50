#pragma once

#include <cstdint>
#include <vector>

#include "livetls/pki/trust_bundle.hpp"
#include "pki/parsed_certificate.hpp"

namespace livetls {

/// What a chain of certificates is followed by: who issued what, and under which constraints.
struct ChainLink {
  std::vector<std::uint8_t> subject;  ///< the Names, DER
  std::vector<std::uint8_t> issuer;
  std::vector<std::uint8_t> subject_key_id;  ///< empty where there is none
  std::vector<std::uint8_t> authority_key_id;
  NameConstraints name_constraints = NameConstraints::none;
};

ChainLink chain_link(ParsedCertificate&& certificate);

struct TrustBundle::State {
  std::vector<std::vector<std::uint8_t>> certificates;
  std::vector<ChainLink> links;  ///< of each
  std::size_t subject_bytes = 0;
};

}  // namespace livetls
