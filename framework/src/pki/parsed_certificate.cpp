#include "pki/parsed_certificate.hpp"

#include <algorithm>
#include <string_view>

#include "pki/crypto.hpp"
#include "pki/distinguished_name.hpp"
#include "pki/ip_address.hpp"
#include "pki/object_ids.hpp"
#include "pki/pem.hpp"
#include "pki/public_key.hpp"
#include "pki/read_time.hpp"
#include "pki/signature_algorithms.hpp"

namespace livetls {
namespace {

constexpr int kExtensionsField = 3;
constexpr std::size_t kMaxExtensions = 64;  // certificates have about ten

/// What the walk collects before anything of it is judged.
struct Fields {
  der::Span serial;
  std::string issuer;
  std::string subject;
  der::Span subject_der;
  std::chrono::sys_seconds not_before;
  std::chrono::sys_seconds not_after;
  der::Span public_key_info;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_names;
  bool is_ca = false;
  SignatureAlgorithm signature = {};
};

void read_alternative_names(der::Reader extension, Fields& fields) {
  constexpr auto kDnsName = der::context_primitive(2);
  constexpr auto kIpAddress = der::context_primitive(7);
  der::Reader names = extension.enter(der::kSequence);
  extension.expect_end();
  while (!names.at_end()) {
    const auto name = names.any();
    if (name.tag == kDnsName) fields.dns_names.emplace_back(as_text(name.content));
    if (name.tag != kIpAddress) continue;
    if (auto text = ip_text(name.content)) {
      fields.ip_names.push_back(std::move(*text));
    } else {
      names.fail();
    }
  }
}

void read_basic_constraints(der::Reader extension, Fields& fields) {
  der::Reader constraints = extension.enter(der::kSequence);
  extension.expect_end();
  if (!constraints.next_is(der::kBoolean)) return;
  const auto value = constraints.content(der::kBoolean);
  if (value.size() != 1) constraints.fail();
  fields.is_ca = !value.empty() && value.front() != 0;
}

void read_extensions(der::Reader extensions, Fields& fields) {
  std::vector<der::Span> seen;
  while (!extensions.at_end()) {
    der::Reader extension = extensions.enter(der::kSequence);
    const auto type = extension.content(der::kObjectId);
    extension.skip_optional(der::kBoolean);
    der::Reader value = extension.enter(der::kOctetString);
    extension.expect_end();

    const auto is_same = [&](der::Span other) { return std::ranges::equal(type, other); };
    // Each is compared with all before it, so their number is bounded.
    if (seen.size() == kMaxExtensions || std::ranges::any_of(seen, is_same)) extension.fail();
    seen.push_back(type);
    if (is_same(oid::kSubjectAltName)) read_alternative_names(value, fields);
    if (is_same(oid::kBasicConstraints)) read_basic_constraints(value, fields);
  }
}

/// TBSCertificate, field by field (RFC 5280, section 4.1).
Fields read_fields(der::Reader tbs) {
  Fields fields;
  tbs.skip_optional(der::context_constructed(0));  // version
  fields.serial = tbs.content(der::kInteger);
  der::Reader signature = tbs.enter(der::kSequence);
  fields.signature = signature_algorithm_of(signature.content(der::kObjectId));
  fields.issuer = read_distinguished_name(tbs.enter(der::kSequence));
  der::Reader validity = tbs.enter(der::kSequence);
  fields.not_before = read_time(validity);
  fields.not_after = read_time(validity);
  validity.expect_end();

  der::Reader subject = tbs;
  fields.subject_der = tbs.element(der::kSequence).whole;
  fields.subject = read_distinguished_name(subject.enter(der::kSequence));
  fields.public_key_info = tbs.element(der::kSequence).whole;
  tbs.skip_optional(der::context_primitive(1));  // issuerUniqueID
  tbs.skip_optional(der::context_primitive(2));  // subjectUniqueID
  if (tbs.next_is(der::context_constructed(kExtensionsField))) {
    der::Reader wrapper = tbs.enter(der::context_constructed(kExtensionsField));
    read_extensions(wrapper.enter(der::kSequence), fields);
    wrapper.expect_end();
  }
  tbs.expect_end();
  return fields;
}

}  // namespace

std::string serial_text(der::Span serial) {
  const auto magnitude = der::without_leading_zeros(serial);
  return magnitude.empty() ? "00" : to_hex(magnitude);  // old roots do have a serial of zero
}

Result<ParsedCertificate> parse_certificate(der::Span certificate) {
  bool failed = false;
  der::Reader outer(certificate, failed);
  der::Reader parts = outer.enter(der::kSequence);
  outer.expect_end();
  auto fields = read_fields(parts.enter(der::kSequence));
  parts.content(der::kSequence);  // signature algorithm
  parts.content(der::kBitString);
  parts.expect_end();
  if (failed || fields.serial.empty()) return Errc::malformed_certificate;

  auto key = parse_public_key_info(fields.public_key_info);
  if (!key) return key.error();
  if (const auto checked = crypto::check_certificate(certificate); !checked) {
    return checked.error();
  }
  return ParsedCertificate{
      .info = {.subject = std::move(fields.subject),
               .issuer = std::move(fields.issuer),
               .serial = serial_text(fields.serial),
               .dns_names = std::move(fields.dns_names),
               .ip_names = std::move(fields.ip_names),
               .not_before = fields.not_before,
               .not_after = fields.not_after,
               .key_type = key->type,
               .key_bits = key->bits,
               .is_ca = fields.is_ca,
               .weak_signature = fields.signature.weak,
               .fingerprint = crypto::sha256(certificate),
               .public_key_fingerprint = crypto::sha256(key->info)},
      .subject = {fields.subject_der.begin(), fields.subject_der.end()},
      .public_key_info = std::move(key->info),
      .signature_scheme = fields.signature.scheme,
  };
}

}  // namespace livetls
