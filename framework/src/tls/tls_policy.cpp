#include "livetls/tls/tls_policy.hpp"

namespace livetls {

std::string_view to_string(TlsVersion version) noexcept {
  return version == TlsVersion::tls1_3 ? "TLS 1.3" : "TLS 1.2";
}

}  // namespace livetls
