#include "livetls/pki/self_signed.hpp"

#include "pki/certificate_request.hpp"

namespace livetls {

Result<Certificate> self_signed(const CertificateRequest& request) {
  const auto prepared = prepare(request);
  if (!prepared) return prepared.error();
  auto key = PrivateKey::generate(request.key_type);
  if (!key) return key.error();
  auto der = sign_certificate({.issuer = prepared->subject,
                               .subject = prepared->subject,
                               .validity = prepared->validity,
                               .key_type = key->type(),
                               .public_key_info = key->public_key_der(),
                               .names = prepared->names},
                              *key);
  if (!der) return der.error();
  return Certificate::from_parts({std::move(*der)}, std::move(*key));
}

}  // namespace livetls
