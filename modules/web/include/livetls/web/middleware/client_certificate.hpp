#pragma once

#include <functional>

#include "livetls/pki/certificate_info.hpp"
#include "livetls/web/middleware.hpp"

namespace livetls::web {

/// Lets only clients pass whose certificate was verified, and, where `allow` is given, pleases it.
/// Others get a 403. The identity that is served must ask for certificates (ClientAuth): where it
/// requires them of all, this only reads who it is. Handlers find the certificate by
/// `request.get<CertificateInfo>()`.
Middleware require_client_certificate(std::function<bool(const CertificateInfo&)> allow = {});

}  // namespace livetls::web
