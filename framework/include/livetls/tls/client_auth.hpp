#pragma once

#include <string_view>

namespace livetls {

/// How a server treats certificates of its clients.
enum class ClientAuth {
  none,                ///< does not ask for one
  request,             ///< asks, and takes whatever comes, also nothing
  require_any,         ///< insists on one, and takes any
  verify_if_given,     ///< asks; one that comes must be issued by an authority in the trust bundle
  require_and_verify,  ///< insists on one issued by an authority in the trust bundle
};

std::string_view to_string(ClientAuth mode) noexcept;

/// Whether a certificate that comes is verified.
constexpr bool verifies(ClientAuth mode) noexcept {
  return mode == ClientAuth::verify_if_given || mode == ClientAuth::require_and_verify;
}

/// Whether a client without a certificate is turned away.
constexpr bool requires_certificate(ClientAuth mode) noexcept {
  return mode == ClientAuth::require_any || mode == ClientAuth::require_and_verify;
}

/// Whether `mode` lets nobody in whom `other` would turn away. Not every two can be compared:
/// require_any lets in whom nobody vouches for, verify_if_given who has nothing to show.
constexpr bool is_as_strict_as(ClientAuth mode, ClientAuth other) noexcept {
  return (mode != ClientAuth::none || other == ClientAuth::none) &&
         (verifies(mode) || !verifies(other)) &&
         (requires_certificate(mode) || !requires_certificate(other));
}

}  // namespace livetls
