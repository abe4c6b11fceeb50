#pragma once

// Certificates that no authority would issue: those of an attacker, byte by byte.

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "livetls/pki/private_key.hpp"
#include "livetls/pki/trust_bundle.hpp"
#include "pki/crypto.hpp"
#include "pki/der.hpp"
#include "pki/distinguished_name.hpp"
#include "pki/object_ids.hpp"
#include "pki/pem.hpp"
#include "pki/sign_certificate.hpp"

namespace livetls::test {

using Der = std::vector<std::uint8_t>;

inline Der copy_of(der::Span bytes) { return {bytes.begin(), bytes.end()}; }

inline Der join(std::initializer_list<der::Span> parts) {
  Der all;
  for (const auto part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

inline Der der_of(std::uint8_t tag, std::initializer_list<der::Span> parts) {
  return copy_of(der::element(tag, parts));
}

inline der::Span bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// The tag and length of an element whose content follows.
inline Der header_of(std::uint8_t tag, std::size_t content_bytes) {
  const Der content(content_bytes);
  Der whole = der_of(tag, {content});
  whole.resize(whole.size() - content_bytes);
  return whole;
}

inline const Der& version3() {
  static const Der version = {0xa0, 0x03, 0x02, 0x01, 0x02};
  return version;
}

inline const Der& serial() {
  static const Der number = {0x02, 0x03, 0x11, 0x22, 0x33};
  return number;
}

/// From 2025 to 2049.
inline Der validity() {
  return der_of(der::kSequence, {der_of(der::kUtcTime, {bytes_of("250101000000Z")}),
                                 der_of(der::kUtcTime, {bytes_of("490101000000Z")})});
}

inline Der ecdsa_with_sha256() { return der_of(der::kObjectId, {oid::kEcdsaWithSha256}); }

inline Der extension(der::Span object_id, der::Span value) {
  return der_of(der::kSequence,
                {der_of(der::kObjectId, {object_id}), der_of(der::kOctetString, {value})});
}

inline Der alternative_name(std::string_view dns_name) {
  const Der name = der_of(der::context_primitive(2), {bytes_of(dns_name)});
  return extension(oid::kSubjectAltName, der_of(der::kSequence, {name}));
}

inline Der extensions(std::initializer_list<der::Span> list) {
  return der_of(0xa3, {der_of(der::kSequence, list)});
}

/// As the reader of the library walks out of a container without looking whether it has ended
/// (CVE-2026-87866): the certificate in `algorithm` is the one that it sees.
struct TwoReadings {
  Der issuer;
  Der their_key_info;
  std::string their_name;
  Der our_key_info;
  std::string our_name;

  /// What is to be signed.
  Der tbs() const {
    const Der subject = copy_of(encode_distinguished_name("subject", ""));
    const Der ours =
        join({issuer, validity(), subject, our_key_info, extensions({alternative_name(our_name)})});
    // Their extensions end with one of an unknown type that swallows all that is ours.
    const Der type = der_of(der::kObjectId, {Der{0x2b, 0x06, 0x01, 0x04, 0x01, 0x86, 0x8d, 0x1f}});
    const Der value = header_of(der::kOctetString, ours.size());
    const Der unknown =
        join({header_of(der::kSequence, type.size() + value.size() + ours.size()), type, value});
    const Der list = join({alternative_name(their_name), unknown});
    const Der sequence = header_of(der::kSequence, list.size() + ours.size());
    const Der wrapper = header_of(0xa3, sequence.size() + list.size() + ours.size());
    const Der theirs = join({issuer, validity(), subject, their_key_info, wrapper, sequence, list});
    const Der null = der_of(der::kNull, {});
    const Der algorithm = der_of(der::kSequence, {ecdsa_with_sha256(), null, theirs});
    return der_of(der::kSequence, {version3(), serial(), algorithm, ours});
  }
};

/// A certificate of these bytes, by a P-256 key. `algorithm`: what the signature says of itself.
inline Der sign(der::Span tbs, const PrivateKey& key,
                const Der& algorithm = der_of(der::kSequence, {ecdsa_with_sha256()})) {
  const auto signature = crypto::sign(KeyType::ecdsa_p256, key.der(), tbs).value();
  const SecretBytes bits = der::bit_string(signature);
  return der_of(der::kSequence, {tbs, algorithm, bits});
}

/// A root whose key the test has.
struct CraftedRoot {
  PrivateKey key = PrivateKey::generate(KeyType::ecdsa_p256).value();
  Der name = copy_of(encode_distinguished_name("crafted root", ""));
  Der der = sign_certificate(
                {.issuer = name,
                 .subject = name,
                 .validity = ValidityPeriod::starting(
                     std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()),
                     std::chrono::hours(1000)),
                 .key_type = KeyType::ecdsa_p256,
                 .public_key_info = key.public_key_der(),
                 .is_ca = true},
                key)
                .value();

  TrustBundle bundle() const {
    return TrustBundle::from_pem(as_text(encode_pem("CERTIFICATE", der))).value();
  }
};

/// A leaf with the name of a CA's certificate and the bytes of its signature, but with another key
/// and server name: nothing that the CA has signed.
inline Der clone_of(der::Span root, der::Span key_info, std::string_view server_name) {
  bool failed = false;
  der::Reader outer(root, failed);
  der::Reader parts = outer.enter(der::kSequence);
  der::Reader tbs = parts.enter(der::kSequence);
  const auto algorithm = parts.any().whole;
  const auto signature = parts.any().whole;
  tbs.any();  // version
  tbs.any();  // serial
  tbs.any();  // algorithm
  tbs.any();  // issuer
  tbs.any();  // validity
  const auto subject = tbs.any().whole;
  tbs.any();  // key
  der::Reader list = tbs.enter(0xa3).enter(der::kSequence);
  der::Span key_id;
  while (!list.at_end()) {
    const auto element = list.any();
    der::Reader fields(element.content, failed);
    if (std::ranges::equal(fields.content(der::kObjectId), oid::kSubjectKeyIdentifier)) {
      key_id = element.whole;
    }
  }
  const Der body =
      der_of(der::kSequence, {version3(), serial(), algorithm, subject, validity(), subject,
                              key_info, extensions({key_id, alternative_name(server_name)})});
  return der_of(der::kSequence, {body, algorithm, signature});
}

}  // namespace livetls::test
