#pragma once

#include "livetls/base/result.hpp"
#include "livetls/pki/certificate.hpp"
#include "livetls/tls/tls_policy.hpp"
#include "wolfssl/wolfssl.hpp"

namespace livetls::wolfssl {

/// Has `ctx`, which is otherwise ready but asks no client for a certificate yet, send the staple of
/// its certificate to clients that want one. Errors: staple_unusable.
Result<void> use_staple(WOLFSSL_CTX* ctx, const Certificate& certificate, const TlsPolicy& policy);

}  // namespace livetls::wolfssl
