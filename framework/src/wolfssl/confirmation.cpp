#include "wolfssl/confirmation.hpp"

#include <exception>

#include "wolfssl/alert.hpp"
#include "wolfssl/wire.hpp"

namespace livetls::wolfssl {

bool Confirmation::agrees(const WOLFSSL_CTX* with, std::string_view server_name) const {
  if (with != ctx || server_name != asked) return false;
  return served->selection == nullptr || served->selection->confirms(server_name, *served->context);
}

int confirm_server_name(WOLFSSL* ssl, int* alert, void*) noexcept {
  constexpr int kGoOn = 0;
  constexpr int kReject = 2;
  Confirmation* confirmation = static_cast<Wire*>(wolfSSL_GetIOReadCtx(ssl))->confirmation;
  if (confirmation == nullptr) return kGoOn;  // a handshake with ourselves
  const char* name = wolfSSL_get_servername(ssl, WOLFSSL_SNI_HOST_NAME);
  try {
    confirmation->confirmed =
        confirmation->agrees(wolfSSL_get_SSL_CTX(ssl), name == nullptr ? "" : name);
  } catch (const std::exception&) {
    confirmation->confirmed = false;
  }
  if (confirmation->confirmed) return kGoOn;
  confirmation->refused = true;
  *alert = kIllegalParameter;
  return kReject;
}

}  // namespace livetls::wolfssl
