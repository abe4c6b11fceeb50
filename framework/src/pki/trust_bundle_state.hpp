#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "livetls/pki/trust_bundle.hpp"
#include "pki/parsed_certificate.hpp"

namespace livetls {

/// What a path is made of: a certificate as a possible issuer of others, and as what is issued.
struct ChainLink {
  std::vector<std::uint8_t> der;
  std::vector<std::uint8_t> subject;  ///< the Names, DER
  std::vector<std::uint8_t> issuer;
  std::chrono::sys_seconds not_before;
  std::chrono::sys_seconds not_after;
  NameConstraints name_constraints;
  bool may_issue;
  std::optional<int> path_length;

  bool is_self_issued() const { return subject == issuer; }
};

ChainLink chain_link(std::vector<std::uint8_t> der, const ParsedCertificate& certificate);

struct TrustBundle::State {
  std::vector<std::vector<std::uint8_t>> certificates;
  std::vector<ChainLink> links;  ///< of each
  std::size_t subject_bytes = 0;
};

}  // namespace livetls
