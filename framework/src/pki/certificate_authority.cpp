#include "livetls/pki/certificate_authority.hpp"

#include <algorithm>
#include <iterator>

#include "pki/certificate_request.hpp"
#include "pki/crypto.hpp"
#include "pki/distinguished_name.hpp"
#include "pki/parsed_certificate.hpp"
#include "pki/pem.hpp"
#include "pki/sign_certificate.hpp"

namespace livetls {
namespace {

using Chain = std::vector<std::vector<std::uint8_t>>;

/// Authorities of the same organisation need names of their own, or clients mix them up.
SecretBytes authority_name(const std::string& organization, const PrivateKey& key) {
  const auto hash = crypto::sha256(key.public_key_der());
  const auto tail = to_hex(std::span(hash).first(4));
  return encode_distinguished_name(organization, organization + ' ' + tail);
}

Result<std::vector<std::uint8_t>> sign_authority(const CertificateAuthority::Options& options,
                                                 const PrivateKey& key, der::Span subject,
                                                 der::Span issuer, const PrivateKey& issuer_key) {
  return sign_certificate(
      {.issuer = issuer,
       .subject = subject,
       .validity = ValidityPeriod::starting(moment(options.now), options.lifetime),
       .key_type = key.type(),
       .public_key_info = key.public_key_der(),
       .is_ca = true},
      issuer_key);
}

/// The Name that stands in a certificate that was parsed before.
std::vector<std::uint8_t> subject_of(const Certificate& certificate) {
  const auto parsed = parse_certificate(certificate.chain().front()).value();
  return {parsed.subject_der.begin(), parsed.subject_der.end()};
}

/// What `authority` signed, followed by its own chain, which ends before the root.
Chain chain_below(std::vector<std::uint8_t> signed_der, const Certificate& authority,
                  const std::vector<std::uint8_t>& root) {
  Chain chain{std::move(signed_der)};
  std::ranges::copy_if(authority.chain(), std::back_inserter(chain),
                       [&](const auto& der) { return der != root; });
  return chain;
}

}  // namespace

Result<CertificateAuthority> CertificateAuthority::create(const Options& options) {
  auto key = PrivateKey::generate(options.key_type);
  if (!key) return key.error();
  const auto name = authority_name(options.organization, *key);
  auto der = sign_authority(options, *key, name, name, *key);
  if (!der) return der.error();
  auto certificate = Certificate::from_parts({*der}, std::move(*key));
  if (!certificate) return certificate.error();
  return CertificateAuthority(std::move(*certificate), std::move(*der));
}

Result<CertificateAuthority> CertificateAuthority::create_intermediate(
    const Options& options) const {
  auto key = PrivateKey::generate(options.key_type);
  if (!key) return key.error();
  const auto name = authority_name(options.organization, *key);
  auto der =
      sign_authority(options, *key, name, subject_of(certificate_), certificate_.private_key());
  if (!der) return der.error();
  auto certificate =
      Certificate::from_parts(chain_below(std::move(*der), certificate_, root_), std::move(*key));
  if (!certificate) return certificate.error();
  return CertificateAuthority(std::move(*certificate), root_);
}

Result<Certificate> CertificateAuthority::issue(const CertificateRequest& request) const {
  auto key = PrivateKey::generate(request.key_type);
  if (!key) return key.error();
  return issue(request, std::move(*key));
}

Result<Certificate> CertificateAuthority::issue(const CertificateRequest& request,
                                                PrivateKey key) const {
  if (key.type() != request.key_type) {
    return Error{Errc::key_mismatch, std::string(to_string(key.type())) + " key where " +
                                         std::string(to_string(request.key_type)) +
                                         " was requested"};
  }
  const auto prepared = prepare(request);
  if (!prepared) return prepared.error();
  const auto issuer = subject_of(certificate_);
  auto der = sign_certificate({.issuer = issuer,
                               .subject = prepared->subject,
                               .validity = prepared->validity,
                               .key_type = key.type(),
                               .public_key_info = key.public_key_der(),
                               .names = prepared->names},
                              certificate_.private_key());
  if (!der) return der.error();
  return Certificate::from_parts(chain_below(std::move(*der), certificate_, root_), std::move(key));
}

TrustBundle CertificateAuthority::trust_bundle() const {
  return TrustBundle::from_pem(root_pem()).value();
}

std::string CertificateAuthority::root_pem() const {
  return std::string(as_text(encode_pem("CERTIFICATE", root_)));
}

}  // namespace livetls
