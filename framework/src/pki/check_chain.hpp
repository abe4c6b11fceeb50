#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "livetls/base/result.hpp"
#include "livetls/pki/trust_bundle.hpp"

namespace livetls {

/// Whether the certificates that a peer has sent make a path to one of `roots`, besides all that
/// the TLS library has verified: that remembers the intermediates of other connections, takes any
/// certificate that it is given for a root, and enforces few name constraints, in part.
///
/// A path leads from the leaf to a root by names and signatures (RFC 5280, section 6.1), not of
/// SHA-1 or MD5. Every certificate above the leaf is a CA that may sign certificates, is valid at
/// `now`, allows for as many intermediates below it, and constrains no name of the leaf's. A leaf
/// that is itself in `roots` needs no path.
///
/// `chain`: in DER, the leaf first. Errors: peer_untrusted; unenforced_name_constraints where a CA
/// on the path has constraints of other types than DNS names and IP addresses;
/// peer_sent_no_certificate; malformed_certificate and unsupported_key of any of them.
Result<void> check_chain(std::span<const std::vector<std::uint8_t>> chain, const TrustBundle& roots,
                         std::chrono::sys_seconds now);

}  // namespace livetls
