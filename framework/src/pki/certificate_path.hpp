#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "livetls/base/result.hpp"
#include "livetls/pki/trust_bundle.hpp"

namespace livetls {

/// What a peer's certificate is for.
enum class Purpose { server_auth, client_auth };

/// Certificates in DER, the leaf first.
using CertificateChain = std::vector<std::vector<std::uint8_t>>;

/// The certificates from a peer's leaf to one of `roots`, which is the last: any path that exists
/// among those that were sent and those that are trusted, in whatever order, by the rules of RFC
/// 5280, section 6. docs/path-validation.md says what is checked, and where other implementations
/// differ.
///
/// `sent`: in DER, the leaf first. Certificates above the leaf that cannot be read are left out. A
/// leaf that is itself in `roots` needs no path. Errors, with what was wrong with the path that
/// came farthest: peer_untrusted, peer_expired, peer_wrong_purpose, unenforced_name_constraints,
/// peer_sent_no_certificate; malformed_certificate and unsupported_key of the leaf.
Result<CertificateChain> find_path(std::span<const std::vector<std::uint8_t>> sent,
                                   const TrustBundle& roots, Purpose purpose,
                                   std::chrono::sys_seconds now);

}  // namespace livetls
