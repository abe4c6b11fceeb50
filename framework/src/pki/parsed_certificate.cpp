#include "pki/parsed_certificate.hpp"

#include <algorithm>

#include "pki/crypto.hpp"
#include "pki/ip_address.hpp"
#include "pki/pem.hpp"
#include "pki/public_key.hpp"
#include "pki/read_time.hpp"

namespace livetls {
namespace {

constexpr auto kVersionField = der::context_constructed(0);
constexpr auto kExtensionsField = der::context_constructed(3);

int read_version(der::Reader version) {
  constexpr std::uint8_t kMaxVersion = 2;  // which stands for 3
  const auto number = version.content(der::kInteger);
  if (number.size() != 1 || number.front() > kMaxVersion) version.fail();
  version.expect_end();
  return number.empty() ? 0 : number.front() + 1;
}

/// A Name: its DER, and what RFC 4514 makes of it.
der::Span read_name(der::Reader& reader, std::string& text) {
  der::Reader name = reader;
  const auto whole = reader.element(der::kSequence).whole;
  text = read_distinguished_name(name.enter(der::kSequence));
  return whole;
}

void read_validity(der::Reader validity, ParsedCertificate& into) {
  der::Reader times = validity;
  into.not_before = times.any().whole;
  into.not_after = times.any().whole;
  into.info.not_before = read_time(validity);
  into.info.not_after = read_time(validity);
  validity.expect_end();
}

/// TBSCertificate, field by field (RFC 5280, section 4.1); the answer is what it says of its
/// signature.
der::Span read_fields(der::Reader tbs, ParsedCertificate& into) {
  into.version = tbs.next_is(kVersionField) ? read_version(tbs.enter(kVersionField)) : 1;
  into.serial = tbs.content(der::kInteger);
  if (into.serial.empty()) tbs.fail();
  const auto algorithm = tbs.element(der::kSequence).whole;
  into.issuer = canonical_name(read_name(tbs, into.info.issuer));
  read_validity(tbs.enter(der::kSequence), into);
  into.subject_der = read_name(tbs, into.info.subject);
  into.subject = canonical_name(into.subject_der);
  into.key_info = tbs.element(der::kSequence).whole;
  tbs.skip_optional(der::context_primitive(1));  // issuerUniqueID
  tbs.skip_optional(der::context_primitive(2));  // subjectUniqueID
  if (tbs.next_is(kExtensionsField)) {
    if (into.version != 3) tbs.fail();
    der::Reader wrapper = tbs.enter(kExtensionsField);
    into.extensions = read_extensions(wrapper.enter(der::kSequence));
    wrapper.expect_end();
  }
  tbs.expect_end();
  return algorithm;
}

void note_names(ParsedCertificate& into) {
  for (const GeneralName& name : into.extensions.alternative_names) {
    const std::string text(as_text(name.value));
    if (name.type == GeneralName::Type::dns) into.info.dns_names.push_back(text);
    if (name.type == GeneralName::Type::uri) into.info.uris.push_back(text);
    if (name.type == GeneralName::Type::ip) into.info.ip_names.push_back(*ip_text(name.value));
  }
}

}  // namespace

std::string serial_text(der::Span serial) {
  const auto magnitude = der::without_leading_zeros(serial);
  return magnitude.empty() ? "00" : to_hex(magnitude);  // old roots do have a serial of zero
}

Result<ParsedCertificate> parse_certificate(der::Span certificate) {
  ParsedCertificate parsed{};
  parsed.der = certificate;
  bool failed = false;
  der::Reader outer(certificate, failed);
  der::Reader parts = outer.enter(der::kSequence);
  outer.expect_end();
  der::Reader fields = parts;
  parsed.to_be_signed = parts.element(der::kSequence).whole;
  const auto inner = read_fields(fields.enter(der::kSequence), parsed);
  der::Reader algorithm = parts;
  const auto spelled = parts.element(der::kSequence).whole;
  parsed.signature_algorithm = read_signature_algorithm(algorithm.enter(der::kSequence));
  parsed.signature = parts.whole_byte_bits();
  parts.expect_end();
  if (failed) return Errc::malformed_certificate;
  // What is signed says how, and the signature repeats it (RFC 5280, section 4.1.1.2).
  if (!std::ranges::equal(inner, spelled)) return Errc::malformed_certificate;

  auto key = parse_public_key_info(parsed.key_info);
  if (!key) return key.error();
  parsed.key = key->key;
  note_names(parsed);
  CertificateInfo& info = parsed.info;
  info.serial = serial_text(parsed.serial);
  info.key_type = key->type;
  info.key_bits = key->bits;
  info.is_ca = parsed.extensions.is_ca;
  info.weak_signature = parsed.signature_algorithm.weak;
  info.fingerprint = crypto::sha256(certificate);
  info.public_key_fingerprint = crypto::sha256(key->info);
  parsed.public_key_info = std::move(key->info);
  return parsed;
}

Result<ParsedCertificate> parse_certificate_twice(der::Span certificate) {
  auto parsed = parse_certificate(certificate);
  if (!parsed) return parsed;
  const auto checked = crypto::check_certificate(*parsed, crypto::IfUnreadable::refuse);
  return checked ? std::move(parsed) : Result<ParsedCertificate>(checked.error());
}

}  // namespace livetls
