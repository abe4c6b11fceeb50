#include "pki/sign_certificate.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>

#include "livetls/base/random_bytes.hpp"
#include "pki/crypto.hpp"
#include "pki/ip_address.hpp"
#include "pki/object_ids.hpp"

// wolfSSL can make certificates too, but not with IP addresses, free choice of times and Ed25519 on
// every version that livetls supports. RFC 5280 asks for little, so it is written out here.

namespace livetls {
namespace {

constexpr std::chrono::minutes kBackDating{5};
constexpr std::size_t kSerialBytes = 16;
constexpr std::size_t kKeyIdentifierBytes = 20;

der::Span bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

SecretBytes signature_algorithm(KeyType type) {
  switch (type) {
    case KeyType::ecdsa_p256: return der::sequence({der::object_id(oid::kEcdsaWithSha256)});
    case KeyType::ecdsa_p384: return der::sequence({der::object_id(oid::kEcdsaWithSha384)});
    case KeyType::ecdsa_p521: return der::sequence({der::object_id(oid::kEcdsaWithSha512)});
    case KeyType::ed25519: return der::sequence({der::object_id(oid::kEd25519)});
    case KeyType::rsa: break;
  }
  return der::sequence({der::object_id(oid::kSha256WithRsa), der::element(der::kNull, {})});
}

/// UTCTime until 2049 and GeneralizedTime after it, as RFC 5280 demands.
SecretBytes encode_time(std::chrono::sys_seconds time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  const int year_number = static_cast<int>(date.year());
  const bool is_utc_time = year_number >= 1950 && year_number < 2050;

  char text[32];
  const int length = std::snprintf(
      text, sizeof text, "%04d%02u%02u%02d%02d%02dZ", year_number,
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()));
  const std::string_view digits(text, static_cast<std::size_t>(length));
  if (!is_utc_time) return der::element(der::kGeneralizedTime, {bytes_of(digits)});
  return der::element(der::kUtcTime, {bytes_of(digits.substr(2))});
}

enum class Critical { no, yes };

SecretBytes extension(der::Span type, Critical critical, der::Span value) {
  constexpr std::uint8_t kTrue = 0xff;
  SecretBytes mark;
  if (critical == Critical::yes) mark = der::element(der::kBoolean, {der::Span(&kTrue, 1)});
  return der::sequence({der::object_id(type), mark, der::octet_string(value)});
}

SecretBytes key_usage(bool is_ca, KeyType type) {
  constexpr std::uint8_t kDigitalSignature = 0x80;
  constexpr std::uint8_t kKeyEncipherment = 0x20;
  constexpr std::uint8_t kCertSignAndCrlSign = 0x06;
  std::uint8_t bits = is_ca ? kCertSignAndCrlSign : kDigitalSignature;
  if (!is_ca && type == KeyType::rsa) bits |= kKeyEncipherment;
  const auto unused = static_cast<std::uint8_t>(std::countr_zero(bits));
  return der::bit_string(der::Span(&bits, 1), unused);
}

SecretBytes basic_constraints(bool is_ca) {
  constexpr std::uint8_t kTrue = 0xff;
  if (!is_ca) return der::sequence({});
  return der::sequence({der::element(der::kBoolean, {der::Span(&kTrue, 1)})});
}

SecretBytes alternative_names(const std::vector<std::string>& names) {
  SecretBytes list;
  for (const auto& name : names) {
    const auto ip = parse_ip(name);
    const auto entry = ip ? der::element(der::context_primitive(7), {*ip})
                          : der::element(der::context_primitive(2), {bytes_of(name)});
    list.insert(list.end(), entry.begin(), entry.end());
  }
  return der::sequence({list});
}

/// RFC 7093, method 1: the hash of the key's bits, cut to the customary length.
SecretBytes key_identifier(der::Span public_key_info) {
  bool failed = false;
  der::Reader info = der::Reader(public_key_info, failed).enter(der::kSequence);
  info.any();
  const auto hash = crypto::sha256(info.whole_byte_bits());
  return {hash.begin(), hash.begin() + kKeyIdentifierBytes};
}

SecretBytes extensions(const CertificateDraft& draft, der::Span authority_public_key) {
  const auto own_id = der::octet_string(key_identifier(draft.public_key_info));
  const auto authority_id = der::sequence(
      {der::element(der::context_primitive(0), {key_identifier(authority_public_key)})});
  SecretBytes purposes;
  SecretBytes names;
  if (!draft.is_ca) {
    purposes = extension(
        oid::kExtendedKeyUsage, Critical::no,
        der::sequence({der::object_id(oid::kServerAuth), der::object_id(oid::kClientAuth)}));
  }
  if (!draft.names.empty()) {
    const bool nameless = draft.subject.size() == der::sequence({}).size();
    names = extension(oid::kSubjectAltName, nameless ? Critical::yes : Critical::no,
                      alternative_names(draft.names));
  }
  return der::sequence({
      extension(oid::kBasicConstraints, Critical::yes, basic_constraints(draft.is_ca)),
      extension(oid::kKeyUsage, Critical::yes, key_usage(draft.is_ca, draft.key_type)),
      purposes,
      names,
      extension(oid::kSubjectKeyIdentifier, Critical::no, own_id),
      extension(oid::kAuthorityKeyIdentifier, Critical::no, authority_id),
  });
}

}  // namespace

ValidityPeriod ValidityPeriod::starting(std::chrono::sys_seconds now,
                                        std::chrono::seconds lifetime) {
  using namespace std::chrono;
  constexpr sys_seconds kEarliest = sys_days{1950y / January / 1};
  constexpr sys_seconds kLatest = sys_days{9999y / December / 31} + days{1} - 1s;
  const auto start = std::clamp(now, kEarliest + kBackDating, kLatest);
  const auto length = std::clamp(lifetime, kEarliest - start, kLatest - start);
  return {start - kBackDating, start + length};
}

Result<std::vector<std::uint8_t>> sign_certificate(const CertificateDraft& draft,
                                                   const PrivateKey& authority_key) {
  constexpr std::uint8_t kVersion3 = 2;
  std::array<std::uint8_t, kSerialBytes> serial;
  random_bytes(serial);
  serial.front() = static_cast<std::uint8_t>((serial.front() & 0x7f) | 0x40);  // positive, full

  const auto algorithm = signature_algorithm(authority_key.type());
  const auto validity = der::sequence(
      {encode_time(draft.validity.not_before), encode_time(draft.validity.not_after)});
  const auto to_be_signed = der::sequence({
      der::element(der::context_constructed(0), {der::small_integer(kVersion3)}),
      der::element(der::kInteger, {serial}),
      algorithm,
      draft.issuer,
      validity,
      draft.subject,
      draft.public_key_info,
      der::element(der::context_constructed(3),
                   {extensions(draft, authority_key.public_key_der())}),
  });
  const auto signature = crypto::sign(authority_key.type(), authority_key.der(), to_be_signed);
  if (!signature) return signature.error();
  const auto certificate = der::sequence({to_be_signed, algorithm, der::bit_string(*signature)});
  return std::vector<std::uint8_t>(certificate.begin(), certificate.end());
}

}  // namespace livetls
