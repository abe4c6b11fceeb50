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
  der::Span issuer_der;
  der::Span subject_der;
  std::chrono::sys_seconds not_before;
  std::chrono::sys_seconds not_after;
  der::Span not_before_der;
  der::Span not_after_der;
  der::Span public_key_info;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_names;
  std::vector<der::Span> dns_names_der;
  std::vector<der::Span> ip_names_der;
  bool is_ca = false;
  std::optional<int> path_length;
  bool may_sign_certificates = true;  // where it does not say what its key is for
  NameConstraints name_constraints;
  der::Span algorithm;  // of the signature, as the signed part says it
  SignatureAlgorithm signature = {};
};

void read_alternative_names(der::Reader extension, Fields& fields) {
  constexpr auto kDnsName = der::context_primitive(2);
  constexpr auto kIpAddress = der::context_primitive(7);
  der::Reader names = extension.enter(der::kSequence);
  extension.expect_end();
  while (!names.at_end()) {
    const auto name = names.any();
    if (name.tag == kDnsName) {
      fields.dns_names.emplace_back(as_text(name.content));
      fields.dns_names_der.push_back(name.content);
    }
    if (name.tag != kIpAddress) continue;
    if (auto text = ip_text(name.content)) {
      fields.ip_names.push_back(std::move(*text));
      fields.ip_names_der.push_back(name.content);
    } else {
      names.fail();
    }
  }
}

void read_basic_constraints(der::Reader extension, Fields& fields) {
  der::Reader constraints = extension.enter(der::kSequence);
  extension.expect_end();
  if (constraints.next_is(der::kBoolean)) {
    const auto value = constraints.content(der::kBoolean);
    if (value.size() != 1) constraints.fail();
    fields.is_ca = !value.empty() && value.front() != 0;
  }
  if (constraints.next_is(der::kInteger)) {  // pathLenConstraint
    const auto length = der::without_leading_zeros(constraints.content(der::kInteger));
    if (length.size() <= 1) fields.path_length = length.empty() ? 0 : length.front();
  }
  constraints.expect_end();
}

void read_subtrees(der::Reader subtrees, NameConstraints::Names& names, bool& has_others) {
  while (!subtrees.at_end()) {
    der::Reader subtree = subtrees.enter(der::kSequence);
    const auto base = subtree.any();
    const auto& content = base.content;
    if (base.tag == der::context_primitive(2)) {
      names.dns.emplace_back(as_text(content));
    } else if (base.tag == der::context_primitive(7) &&
               (content.size() == 8 || content.size() == 32)) {
      names.ip.emplace_back(content.begin(), content.end());
    } else {
      has_others = true;
    }
    if (!subtree.at_end()) has_others = true;  // minimum, maximum
  }
}

void read_name_constraints(der::Reader extension, Fields& fields) {
  NameConstraints& found = fields.name_constraints;
  der::Reader constraints = extension.enter(der::kSequence);
  extension.expect_end();
  for (const int part : {0, 1}) {
    if (!constraints.next_is(der::context_constructed(part))) continue;
    read_subtrees(constraints.enter(der::context_constructed(part)),
                  part == 0 ? found.permitted : found.excluded, found.has_others);
  }
  constraints.expect_end();
}

void read_key_usage(der::Reader extension, Fields& fields) {
  constexpr std::uint8_t kCertSign = 0x04;
  const auto bits = extension.content(der::kBitString);
  extension.expect_end();
  fields.may_sign_certificates = bits.size() > 1 && (bits[1] & kCertSign) != 0;
}

/// AlgorithmIdentifier: its object identifier, to the end of what may follow.
der::Span read_algorithm(der::Reader algorithm) {
  const auto object_id = algorithm.content(der::kObjectId);
  if (!algorithm.at_end()) algorithm.any();  // parameters
  algorithm.expect_end();
  return object_id;
}

void read_version(der::Reader version) {
  constexpr std::uint8_t kMaxVersion = 2;  // which stands for 3
  const auto number = version.content(der::kInteger);
  if (number.size() != 1 || number.front() > kMaxVersion) version.fail();
  version.expect_end();
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
    if (is_same(oid::kNameConstraints)) read_name_constraints(value, fields);
    if (is_same(oid::kKeyUsage)) read_key_usage(value, fields);
  }
}

/// TBSCertificate, field by field (RFC 5280, section 4.1).
Fields read_fields(der::Reader tbs) {
  Fields fields;
  constexpr auto kVersion = der::context_constructed(0);
  if (tbs.next_is(kVersion)) read_version(tbs.enter(kVersion));
  fields.serial = tbs.content(der::kInteger);
  der::Reader signature = tbs;
  fields.algorithm = tbs.element(der::kSequence).whole;
  fields.signature = signature_algorithm_of(read_algorithm(signature.enter(der::kSequence)));
  der::Reader issuer = tbs;
  fields.issuer_der = tbs.element(der::kSequence).whole;
  fields.issuer = read_distinguished_name(issuer.enter(der::kSequence));
  der::Reader validity = tbs.enter(der::kSequence);
  der::Reader times = validity;
  fields.not_before_der = times.any().whole;
  fields.not_after_der = times.any().whole;
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
  const auto algorithm = parts.element(der::kSequence).whole;
  parts.content(der::kBitString);
  parts.expect_end();
  if (failed || fields.serial.empty()) return Errc::malformed_certificate;
  // What is signed says how, and the signature repeats it (RFC 5280, section 4.1.1.2).
  if (!std::ranges::equal(algorithm, fields.algorithm)) return Errc::malformed_certificate;

  auto key = parse_public_key_info(fields.public_key_info);
  if (!key) return key.error();
  const crypto::CertificateReading reading{.key_type = key->type,
                                           .key_info = fields.public_key_info,
                                           .key = key->key,
                                           .serial = fields.serial,
                                           .not_before = fields.not_before_der,
                                           .not_after = fields.not_after_der,
                                           .dns_names = std::move(fields.dns_names_der),
                                           .ip_names = fields.ip_names_der,
                                           .is_ca = fields.is_ca};
  if (const auto checked = crypto::check_certificate(certificate, reading); !checked) {
    return checked.error();
  }
  const auto copy = [](der::Span bytes) {
    return std::vector<std::uint8_t>(bytes.begin(), bytes.end());
  };
  std::vector<std::vector<std::uint8_t>> ip_addresses;
  for (const auto& address : fields.ip_names_der) ip_addresses.push_back(copy(address));
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
      .subject = copy(fields.subject_der),
      .issuer = copy(fields.issuer_der),
      .ip_addresses = std::move(ip_addresses),
      .name_constraints = std::move(fields.name_constraints),
      .may_issue = fields.is_ca && fields.may_sign_certificates,
      .path_length = fields.path_length,
      .public_key_info = std::move(key->info),
      .signature_scheme = fields.signature.scheme,
  };
}

}  // namespace livetls
