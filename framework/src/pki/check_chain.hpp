#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "livetls/base/result.hpp"
#include "livetls/pki/trust_bundle.hpp"

namespace livetls {

/// What the TLS library leaves out about a chain that it has verified, until paths are validated by
/// livetls itself:
///
/// - It enforces a CA's name constraints on what that CA itself has issued, for some types of
/// names.
///   A chain in which others apply, or a CA further up has any, is refused
///   (unenforced_name_constraints).
/// - It remembers the intermediates of other connections. The chain must lead to one of `roots` by
///   what the peer has sent itself (peer_untrusted).
///
/// `chain`: as the peer sent it, in DER, the leaf first. Errors also where a certificate of it is
/// malformed.
Result<void> check_chain(std::span<const std::vector<std::uint8_t>> chain,
                         const TrustBundle& roots);

}  // namespace livetls
