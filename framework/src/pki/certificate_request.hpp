#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "livetls/base/result.hpp"
#include "livetls/base/secret_bytes.hpp"
#include "livetls/pki/self_signed.hpp"
#include "pki/sign_certificate.hpp"

namespace livetls {

/// What self-signed and issued certificates take from a request.
struct PreparedRequest {
  SecretBytes subject;
  ValidityPeriod validity;
  std::vector<std::string> names;
};

/// Errors: invalid_server_name.
Result<PreparedRequest> prepare(const CertificateRequest& request);

/// `now`, or what the system's clock says.
std::chrono::sys_seconds moment(const std::optional<std::chrono::sys_seconds>& now);

}  // namespace livetls
