#pragma once

#include <boost/system/error_code.hpp>
#include <string>

namespace livetls {

/// Why something livetls was asked for, or a stranger tried, did not happen.
/// Each reason is its own code, so that callers can branch and counters can tell them apart.
enum class Errc {
  // Reading certificates and keys
  file_unreadable = 1,
  input_too_large,
  input_empty,
  pem_torn,
  no_certificate,
  malformed_certificate,
  no_private_key,
  malformed_private_key,
  encrypted_private_key,
  unsupported_key,
  key_mismatch,
  certificate_and_key_swapped,
  invalid_server_name,
  key_generation_failed,

  // Publishing certificates
  certificate_expired,
  certificate_not_yet_valid,
  certificate_unusable,
  identity_without_certificate,
  no_client_roots,
  default_weaker_than_named,
  unknown_identity,
  plan_refused,
  plan_outdated,
  no_such_finding,
  nothing_to_roll_back_to,
  nothing_to_confirm,
  nothing_scheduled,
  certificate_revoked,
  nothing_to_serve_instead,
  staple_malformed,
  staple_for_another_certificate,
  staple_not_good,
  staple_stale,
  staple_unusable,

  // A stranger's first bytes
  proxy_header_malformed,
  not_tls,
  plain_http,
  malformed_client_hello,
  client_hello_too_large,
  unrecognized_name,
  server_name_missing,

  // TLS with a peer
  handshake_failed,
  handshake_timeout,
  no_common_parameters,
  no_application_protocol,
  alert_received,
  stream_truncated,
  invalid_key_share,
  client_hello_changed,
  peer_untrusted,
  unenforced_name_constraints,
  peer_expired,
  peer_wrong_purpose,
  peer_name_mismatch,
  peer_not_pinned,
  peer_sent_no_certificate,
  protocol_violation,
  ticket_refused,
  ticket_secrets_malformed,
  tls_failure,
};

const boost::system::error_category& livetls_category() noexcept;
boost::system::error_code make_error_code(Errc code) noexcept;

/// An error code with what a person needs to act on it: the file, the name, the number.
/// The context is for the operator; never send it to a peer.
struct Error {
  boost::system::error_code code;
  std::string context;

  Error() = default;  ///< no error
  Error(Errc reason, std::string where = {});
  Error(boost::system::error_code reason, std::string where = {});

  /// "context: reason", or the reason alone.
  std::string message() const;

  friend bool operator==(const Error& error, Errc reason) noexcept {
    return error.code == make_error_code(reason);
  }
};

}  // namespace livetls

namespace boost::system {
template <>
struct is_error_code_enum<livetls::Errc> : std::true_type {};
}  // namespace boost::system
