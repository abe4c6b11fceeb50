#pragma once

#include <string_view>

namespace livetls {

/// How a server treats certificates of its clients, from the weakest to the strongest.
enum class ClientAuth {
  none,                ///< does not ask for one
  request,             ///< asks, and takes whatever comes, also nothing
  require_any,         ///< insists on one, and takes any
  verify_if_given,     ///< asks; one that comes must be issued by an authority in the trust bundle
  require_and_verify,  ///< insists on one issued by an authority in the trust bundle
};

std::string_view to_string(ClientAuth mode) noexcept;

/// Whether a certificate that comes is verified.
constexpr bool verifies(ClientAuth mode) noexcept { return mode >= ClientAuth::verify_if_given; }

/// Whether a client without a certificate is turned away.
constexpr bool requires_certificate(ClientAuth mode) noexcept {
  return mode == ClientAuth::require_any || mode == ClientAuth::require_and_verify;
}

}  // namespace livetls
