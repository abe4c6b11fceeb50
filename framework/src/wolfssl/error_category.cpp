#include "wolfssl/error_category.hpp"

#include <string>

#include "livetls/base/error.hpp"
#include "wolfssl/wolfssl.hpp"

namespace livetls::wolfssl {
namespace {

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "wolfssl"; }

  std::string message(int code) const override {
    char text[WOLFSSL_MAX_ERROR_SZ] = {};
    wolfSSL_ERR_error_string_n(static_cast<unsigned long>(code), text, sizeof text);
    return text;
  }
};

const Category kCategory;

}  // namespace

boost::system::error_code to_error_code(int wolfssl_error) noexcept {
  switch (wolfssl_error) {
    case DOMAIN_NAME_MISMATCH:
    case IPADDR_MISMATCH: return Errc::peer_name_mismatch;
    case ASN_AFTER_DATE_E:
    case ASN_BEFORE_DATE_E: return Errc::peer_expired;
    case ASN_NO_SIGNER_E:
    case ASN_SELF_SIGNED_E:
    case ASN_SIG_CONFIRM_E:
    case ASN_PATHLEN_INV_E:
    case ASN_NAME_INVALID_E:  // name constraints
    case NOT_CA_ERROR:
    case VERIFY_CERT_ERROR: return Errc::peer_untrusted;
    case 0: return Errc::tls_failure;  // a failure of which the library has noted nothing
    case NO_PEER_CERT: return Errc::peer_sent_no_certificate;
    case FATAL_ERROR: return Errc::alert_received;
    case MATCH_SUITE_ERROR:
    case UNSUPPORTED_SUITE:
    case UNSUPPORTED_PROTO_VERSION:
    case VERSION_ERROR: return Errc::no_common_parameters;
    default: return {wolfssl_error, kCategory};
  }
}

}  // namespace livetls::wolfssl
