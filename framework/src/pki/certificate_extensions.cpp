#include "pki/certificate_extensions.hpp"

#include <algorithm>
#include <iterator>

#include "pki/ip_address.hpp"
#include "pki/object_ids.hpp"

namespace livetls {
namespace {

constexpr std::size_t kMaxExtensions = 64;  // certificates have about ten
// CAs have limits between 100 and 1,000. The packaged library takes time that grows with the
// square.
constexpr std::size_t kMaxNames = 1'024;

using Read = void (*)(der::Reader& value, CertificateExtensions& into);

bool read_boolean(der::Reader& reader) {
  const auto value = reader.content(der::kBoolean);
  if (value.size() != 1) reader.fail();
  return !value.empty() && value.front() != 0;
}

/// A small count: of certificates. Larger ones are as good as this one.
int read_count(der::Reader& reader, std::uint8_t tag) {
  constexpr int kLarge = 255;
  const auto content = reader.content(tag);
  if (content.empty() || (content.front() & 0x80) != 0) reader.fail();
  const auto magnitude = der::without_leading_zeros(content);
  if (magnitude.empty()) return 0;
  return magnitude.size() == 1 ? magnitude.front() : kLarge;
}

void read_alternative_names(der::Reader& value, CertificateExtensions& into) {
  der::Reader names = value.enter(der::kSequence);
  while (!names.at_end()) {
    const GeneralName name = read_general_name(names);
    if (name.type == GeneralName::Type::ip && !ip_text(name.value)) names.fail();
    if (into.alternative_names.size() == kMaxNames) names.fail();
    into.alternative_names.push_back(name);
  }
}

void read_basic_constraints(der::Reader& value, CertificateExtensions& into) {
  der::Reader constraints = value.enter(der::kSequence);
  if (constraints.next_is(der::kBoolean)) into.is_ca = read_boolean(constraints);
  if (constraints.next_is(der::kInteger)) into.path_length = read_count(constraints, der::kInteger);
  constraints.expect_end();
}

void read_key_usage(der::Reader& value, CertificateExtensions& into) {
  constexpr int kBits = 9;
  const auto bits = value.content(der::kBitString);
  const int unused = bits.empty() ? 8 : bits.front();
  const bool is_bit_string =
      unused == 0 || (unused < 8 && bits.size() > 1 && (bits.back() & ((1 << unused) - 1)) == 0);
  if (!is_bit_string) value.fail();
  std::uint16_t usage = 0;
  for (int bit = 0; bit < kBits; ++bit) {
    const auto index = static_cast<std::size_t>(1 + bit / 8);
    if (index < bits.size() && (bits[index] >> (7 - bit % 8) & 1) != 0) usage |= 1 << bit;
  }
  into.key_usage = usage;
}

void read_extended_key_usage(der::Reader& value, CertificateExtensions& into) {
  ExtendedKeyUsage usage;
  der::Reader purposes = value.enter(der::kSequence);
  if (purposes.at_end()) purposes.fail();
  while (!purposes.at_end()) {
    const auto purpose = purposes.content(der::kObjectId);
    usage.any |= std::ranges::equal(purpose, oid::kAnyExtendedKeyUsage);
    usage.server_auth |= std::ranges::equal(purpose, oid::kServerAuth);
    usage.client_auth |= std::ranges::equal(purpose, oid::kClientAuth);
  }
  into.extended_key_usage = usage;
}

std::vector<NameConstraints::Subtree> read_subtrees(der::Reader subtrees) {
  constexpr std::size_t kIpv4Range = 8;
  constexpr std::size_t kIpv6Range = 32;
  std::vector<NameConstraints::Subtree> list;
  if (subtrees.at_end()) subtrees.fail();
  while (!subtrees.at_end()) {
    der::Reader subtree = subtrees.enter(der::kSequence);
    const GeneralName base = read_general_name(subtree);
    const bool is_range = base.value.size() == kIpv4Range || base.value.size() == kIpv6Range;
    if (base.type == GeneralName::Type::ip && !is_range) subtree.fail();
    constexpr auto kMinimum = der::context_primitive(0);
    const int minimum = subtree.next_is(kMinimum) ? read_count(subtree, kMinimum) : 0;
    if (list.size() == kMaxNames) subtree.fail();
    const bool has_maximum = subtree.next_is(der::context_primitive(1));
    if (has_maximum) subtree.any();
    subtree.expect_end();
    list.push_back({base, minimum != 0 || has_maximum});
  }
  return list;
}

void read_name_constraints(der::Reader& value, CertificateExtensions& into) {
  constexpr auto kPermitted = der::context_constructed(0);
  constexpr auto kExcluded = der::context_constructed(1);
  der::Reader constraints = value.enter(der::kSequence);
  NameConstraints& found = into.name_constraints;
  if (constraints.next_is(kPermitted)) {
    found.permitted = read_subtrees(constraints.enter(kPermitted));
  }
  if (constraints.next_is(kExcluded)) found.excluded = read_subtrees(constraints.enter(kExcluded));
  constraints.expect_end();
}

void read_policies(der::Reader& value, CertificateExtensions& into) {
  std::vector<der::Span> policies;
  der::Reader list = value.enter(der::kSequence);
  if (list.at_end()) list.fail();
  while (!list.at_end()) {
    der::Reader information = list.enter(der::kSequence);
    policies.push_back(information.content(der::kObjectId));
    information.skip_optional(der::kSequence);  // qualifiers
    information.expect_end();
  }
  into.policies.asserted = std::move(policies);
}

void read_policy_mappings(der::Reader& value, CertificateExtensions& into) {
  der::Reader list = value.enter(der::kSequence);
  if (list.at_end()) list.fail();
  while (!list.at_end()) {
    der::Reader mapping = list.enter(der::kSequence);
    const auto issuers = mapping.content(der::kObjectId);
    const auto subjects = mapping.content(der::kObjectId);
    mapping.expect_end();
    into.policies.mappings.push_back({issuers, subjects});
  }
}

void read_policy_constraints(der::Reader& value, CertificateExtensions& into) {
  constexpr auto kExplicit = der::context_primitive(0);
  constexpr auto kMapping = der::context_primitive(1);
  CertificatePolicies& found = into.policies;
  der::Reader constraints = value.enter(der::kSequence);
  if (constraints.at_end()) constraints.fail();
  if (constraints.next_is(kExplicit)) found.require_explicit = read_count(constraints, kExplicit);
  if (constraints.next_is(kMapping)) found.inhibit_mapping = read_count(constraints, kMapping);
  constraints.expect_end();
}

void read_inhibit_any_policy(der::Reader& value, CertificateExtensions& into) {
  into.policies.inhibit_any = read_count(value, der::kInteger);
}

void read_subject_key_id(der::Reader& value, CertificateExtensions& into) {
  into.subject_key_id = value.content(der::kOctetString);
}

void read_authority_key_id(der::Reader& value, CertificateExtensions& into) {
  der::Reader fields = value.enter(der::kSequence);
  constexpr auto kKeyId = der::context_primitive(0);
  if (fields.next_is(kKeyId)) into.authority_key_id = fields.content(kKeyId);
  while (!fields.at_end()) fields.any();  // the issuer's issuer and serial number
}

/// Where revocation lists are found; livetls fetches none.
void read_distribution_points(der::Reader& value, CertificateExtensions&) {
  value.element(der::kSequence);
}

struct Row {
  der::Span type;
  Read read;
};

const Row kRows[] = {
    {oid::kSubjectAltName, read_alternative_names},
    {oid::kBasicConstraints, read_basic_constraints},
    {oid::kKeyUsage, read_key_usage},
    {oid::kExtendedKeyUsage, read_extended_key_usage},
    {oid::kNameConstraints, read_name_constraints},
    {oid::kCertificatePolicies, read_policies},
    {oid::kPolicyMappings, read_policy_mappings},
    {oid::kPolicyConstraints, read_policy_constraints},
    {oid::kInhibitAnyPolicy, read_inhibit_any_policy},
    {oid::kSubjectKeyIdentifier, read_subject_key_id},
    {oid::kAuthorityKeyIdentifier, read_authority_key_id},
    {oid::kCrlDistributionPoints, read_distribution_points},
};

}  // namespace

CertificateExtensions read_extensions(der::Reader extensions) {
  CertificateExtensions found;
  std::vector<der::Span> seen;
  while (!extensions.at_end()) {
    der::Reader extension = extensions.enter(der::kSequence);
    const auto type = extension.content(der::kObjectId);
    const bool critical = extension.next_is(der::kBoolean) && read_boolean(extension);
    der::Reader value = extension.enter(der::kOctetString);
    extension.expect_end();

    const auto is_same = [&](der::Span other) { return std::ranges::equal(type, other); };
    // Each is compared with all before it, so their number is bounded.
    if (seen.size() == kMaxExtensions || std::ranges::any_of(seen, is_same)) extension.fail();
    seen.push_back(type);
    const auto* known = std::ranges::find_if(kRows, is_same, &Row::type);
    if (known != std::end(kRows)) {
      known->read(value, found);
      value.expect_end();
    } else if (critical && !found.unknown_critical) {
      found.unknown_critical = der::object_id_text(type);
    }
  }
  return found;
}

}  // namespace livetls
