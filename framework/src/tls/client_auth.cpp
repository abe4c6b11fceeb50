#include "livetls/tls/client_auth.hpp"

namespace livetls {

std::string_view to_string(ClientAuth mode) noexcept {
  switch (mode) {
    case ClientAuth::none: return "none";
    case ClientAuth::request: return "request";
    case ClientAuth::require_any: return "require any";
    case ClientAuth::verify_if_given: return "verify if given";
    case ClientAuth::require_and_verify: return "require and verify";
  }
  return "unknown";
}

}  // namespace livetls
