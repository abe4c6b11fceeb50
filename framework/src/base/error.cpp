#include "livetls/base/error.hpp"

#include <boost/system/system_error.hpp>
#include <boost/throw_exception.hpp>

#include "livetls/base/result.hpp"

namespace livetls {
namespace {

const char* reading_sentence(Errc code) noexcept {
  switch (code) {
    case Errc::file_unreadable:
      return "cannot be read: check that it is a regular file and that this user may read it";
    case Errc::input_too_large:
      return "is larger than certificates and keys are: check that it is the right file";
    case Errc::input_empty: return "is empty: write the file whole before it is loaded";
    case Errc::pem_torn:
      return "holds a PEM block that is cut off or damaged: write the file anew, and rename it "
             "into place so that it is never seen half written";
    case Errc::no_certificate:
      return "holds no PEM certificate: it needs a '-----BEGIN CERTIFICATE-----' block";
    case Errc::malformed_certificate:
      return "is no X.509 certificate that can be used: ask its issuer for a new copy";
    case Errc::no_private_key:
      return "holds no PEM private key: it needs a '-----BEGIN PRIVATE KEY-----' block";
    case Errc::malformed_private_key:
      return "is no valid private key: restore it from its source, or make a new one";
    case Errc::encrypted_private_key:
      return "holds a private key under a passphrase: decrypt it first, for example with "
             "'openssl pkey -in FILE -out NEW_FILE'";
    case Errc::unsupported_key:
      return "is a kind of key that is not served: use ECDSA P-256, P-384 or P-521, RSA of 2048 to "
             "4096 bits, or Ed25519";
    case Errc::key_mismatch:
      return "the private key does not fit the leaf certificate: load the pair that belongs "
             "together, the leaf first in its file";
    case Errc::certificate_and_key_swapped:
      return "the certificate and the private key are in each other's place: swap them";
    case Errc::invalid_server_name:
      return "is no server name: use ASCII labels ('xn--' for others) or an IP address";
    case Errc::key_generation_failed: return "a key could not be made or used to sign";
    default: return nullptr;
  }
}

const char* publishing_sentence(Errc code) noexcept {
  switch (code) {
    case Errc::certificate_expired: return "the certificate has expired: renew it";
    case Errc::certificate_not_yet_valid:
      return "the certificate is not valid yet: check this machine's clock, or wait";
    case Errc::certificate_unusable: return "the certificate cannot be served under this policy";
    case Errc::identity_without_certificate:
      return "an identity needs a certificate, the default identity as well";
    case Errc::no_client_roots:
      return "clients' certificates are to be verified, but there is no trust bundle: set "
             "client_roots";
    case Errc::default_weaker_than_named:
      return "the default identity asks less of clients than a named one, which would be a way "
             "around it: give the default the same client_auth";
    case Errc::unknown_identity: return "there is no identity of this name";
    case Errc::plan_refused:
      return "the plan has a refusal: mend what it names, or override it with a reason";
    case Errc::plan_outdated:
      return "something else was published since the plan was staged: stage it again";
    case Errc::no_such_finding:
      return "the plan has no refusal of this name, or no reason was given to override it";
    case Errc::nothing_to_roll_back_to: return "there is no earlier generation in the history";
    case Errc::nothing_to_confirm:
      return "no commit waits to be confirmed: it was not asked for, came too late, or something "
             "else was published since";
    case Errc::nothing_scheduled: return "nothing is scheduled under this number (any more)";
    case Errc::certificate_revoked: return "its private key has been revoked; use a new one";
    case Errc::staple_malformed:
      return "this is no OCSP response (DER) about one certificate with an end of its validity";
    case Errc::staple_for_another_certificate:
      return "the OCSP response is for another certificate than is served";
    case Errc::staple_not_good:
      return "the OCSP response does not say that the certificate is good";
    case Errc::staple_stale: return "the OCSP response is not valid at this time; fetch a new one";
    case Errc::staple_unusable:
      return "the TLS library does not accept the OCSP response: it must be signed by the "
             "certificate's issuer, whose certificate must be in the chain";
    case Errc::nothing_to_serve_instead:
      return "nothing is left to serve without the revoked key; give a replacement";
    default: return nullptr;
  }
}

const char* first_bytes_sentence(Errc code) noexcept {
  switch (code) {
    case Errc::not_tls: return "the peer does not speak TLS";
    case Errc::proxy_header_malformed: return "the PROXY protocol's header is missing or malformed";
    case Errc::plain_http: return "the peer speaks plain HTTP to a TLS port: use https://";
    case Errc::malformed_client_hello: return "the peer's ClientHello is malformed";
    case Errc::client_hello_too_large: return "the peer's ClientHello is larger than the limit";
    case Errc::unrecognized_name:
      return "no certificate is configured for the server name that was asked for";
    case Errc::server_name_missing: return "the peer asked for no server name";
    default: return nullptr;
  }
}

const char* tls_sentence(Errc code) noexcept {
  switch (code) {
    case Errc::handshake_failed: return "the TLS handshake failed";
    case Errc::handshake_timeout: return "the TLS handshake took longer than its limit";
    case Errc::no_common_parameters:
      return "the peers share no TLS version, cipher suite or signature algorithm";
    case Errc::no_application_protocol: return "the peers share no application protocol (ALPN)";
    case Errc::alert_received: return "the peer refused with a TLS alert";
    case Errc::stream_truncated:
      return "the connection ended without a close_notify: what was received may be incomplete";
    case Errc::invalid_key_share:
      return "the peer's key share is not a point on its curve, or is sent twice";
    case Errc::client_hello_changed:
      return "the client's second ClientHello asks for something else than its first";
    case Errc::peer_untrusted:
      return "the peer's certificate leads to no trusted authority: add its root to the trust "
             "bundle if it should be";
    case Errc::unenforced_name_constraints:
      return "a CA in the peer's chain has name constraints that livetls cannot apply to a name "
             "below it: trust the CA below it instead";
    case Errc::peer_expired: return "the peer's certificate is not valid at this time";
    case Errc::peer_wrong_purpose:
      return "the peer's certificate, or a CA above it, may not be used for this";
    case Errc::peer_name_mismatch: return "the peer's certificate was issued for another name";
    case Errc::peer_not_pinned: return "the peer's key is none of those it is pinned to";
    case Errc::peer_sent_no_certificate:
      return "the peer sent no certificate where one is required";
    case Errc::protocol_violation: return "the peer broke the TLS protocol";
    case Errc::ticket_refused: return "the session ticket cannot be used: a full handshake follows";
    case Errc::ticket_secrets_malformed:
      return "these are no exported ticket secrets of this version";
    case Errc::tls_failure: return "the TLS library reported a failure";
    default: return nullptr;
  }
}

class LivetlsCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "livetls"; }

  std::string message(int value) const override {
    const auto code = static_cast<Errc>(value);
    for (const auto sentence_for :
         {reading_sentence, publishing_sentence, first_bytes_sentence, tls_sentence}) {
      if (const char* sentence = sentence_for(code)) return sentence;
    }
    return "unknown livetls error " + std::to_string(value);
  }
};

}  // namespace

const boost::system::error_category& livetls_category() noexcept {
  static const LivetlsCategory kCategory;
  return kCategory;
}

boost::system::error_code make_error_code(Errc code) noexcept {
  return {static_cast<int>(code), livetls_category()};
}

Error::Error(Errc reason, std::string where)
    : code(make_error_code(reason)), context(std::move(where)) {}

Error::Error(boost::system::error_code reason, std::string where)
    : code(reason), context(std::move(where)) {}

std::string Error::message() const {
  return context.empty() ? code.message() : context + ": " + code.message();
}

void throw_exception_from_error(const Error& error, const boost::source_location& location) {
  boost::throw_with_location(boost::system::system_error(error.code, error.context), location);
}

}  // namespace livetls
