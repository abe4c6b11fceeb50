#include "livetls/tls/handshake_counts.hpp"

#include <boost/asio/error.hpp>

#include "livetls/base/error.hpp"

namespace livetls {
namespace {

HandshakeFailure by_reason(Errc reason) {
  switch (reason) {
    case Errc::not_tls: return HandshakeFailure::not_tls;
    case Errc::plain_http: return HandshakeFailure::plain_http;
    case Errc::malformed_client_hello:
    case Errc::client_hello_too_large:
    case Errc::client_hello_changed:
    case Errc::invalid_key_share: return HandshakeFailure::malformed;
    case Errc::unrecognized_name:
    case Errc::server_name_missing: return HandshakeFailure::unrecognized_name;
    case Errc::no_common_parameters:
    case Errc::no_application_protocol: return HandshakeFailure::no_common_parameters;
    case Errc::alert_received: return HandshakeFailure::refused_by_peer;
    case Errc::peer_sent_no_certificate: return HandshakeFailure::client_certificate_missing;
    case Errc::peer_expired: return HandshakeFailure::client_certificate_expired;
    case Errc::peer_wrong_purpose: return HandshakeFailure::client_certificate_purpose;
    case Errc::peer_untrusted:
    case Errc::unenforced_name_constraints:
    case Errc::malformed_certificate:
    case Errc::unsupported_key: return HandshakeFailure::client_certificate;
    case Errc::handshake_timeout: return HandshakeFailure::timed_out;
    case Errc::stream_truncated: return HandshakeFailure::disconnected;
    default: return HandshakeFailure::other;
  }
}

}  // namespace

HandshakeFailure handshake_failure(boost::system::error_code reason) noexcept {
  if (reason.category() == livetls_category()) return by_reason(static_cast<Errc>(reason.value()));
  const bool gone = reason == boost::asio::error::connection_reset ||
                    reason == boost::asio::error::broken_pipe ||
                    reason == boost::asio::error::operation_aborted;
  return gone ? HandshakeFailure::disconnected : HandshakeFailure::other;
}

std::string_view to_string(HandshakeFailure failure) noexcept {
  switch (failure) {
    case HandshakeFailure::not_tls: return "not_tls";
    case HandshakeFailure::plain_http: return "plain_http";
    case HandshakeFailure::malformed: return "malformed";
    case HandshakeFailure::unrecognized_name: return "unrecognized_name";
    case HandshakeFailure::no_common_parameters: return "no_common_parameters";
    case HandshakeFailure::refused_by_peer: return "refused_by_peer";
    case HandshakeFailure::client_certificate_missing: return "client_certificate_missing";
    case HandshakeFailure::client_certificate_expired: return "client_certificate_expired";
    case HandshakeFailure::client_certificate_purpose: return "client_certificate_purpose";
    case HandshakeFailure::client_certificate: return "client_certificate";
    case HandshakeFailure::timed_out: return "timed_out";
    case HandshakeFailure::disconnected: return "disconnected";
    case HandshakeFailure::other: return "other";
  }
  return "";
}

HandshakeTotals HandshakeCounts::totals() const noexcept {
  const auto read = [](const Count& count) { return count.load(std::memory_order_relaxed); };
  HandshakeTotals totals{.full = read(full_), .resumed = read(resumed_)};
  for (std::size_t i = 0; i < failures_.size(); ++i) totals.failures[i] = read(failures_[i]);
  for (std::size_t i = 0; i < names_.size(); ++i) totals.names[i] = read(names_[i]);
  return totals;
}

}  // namespace livetls
