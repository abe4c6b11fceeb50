#include "wolfssl/alert.hpp"

#include "livetls/base/error.hpp"

namespace livetls::wolfssl {

Alert alert_for(boost::system::error_code reason) {
  if (reason == Errc::unrecognized_name) return kUnrecognizedName;
  if (reason == Errc::server_name_missing) return kMissingExtension;
  if (reason == Errc::no_common_parameters) return kHandshakeFailure;
  if (reason == Errc::no_application_protocol) return kNoApplicationProtocol;
  if (reason == Errc::invalid_key_share || reason == Errc::client_hello_changed) {
    return kIllegalParameter;
  }
  if (reason == Errc::malformed_client_hello || reason == Errc::client_hello_too_large) {
    return kDecodeError;
  }
  return kInternalError;
}

}  // namespace livetls::wolfssl
