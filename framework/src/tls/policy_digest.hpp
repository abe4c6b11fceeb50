#pragma once

#include "livetls/pki/certificate_info.hpp"
#include "livetls/tls/server_context.hpp"

namespace livetls {

/// What a session's tickets belong to: the names, the trust, the client authentication and the
/// protocols it was made under. A renewed certificate for the same names has the same digest.
TicketKeys::PolicyDigest policy_digest(const ServingPolicy& policy, const CertificateInfo& leaf);

}  // namespace livetls
