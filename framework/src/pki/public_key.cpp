#include "pki/public_key.hpp"

#include <algorithm>
#include <bit>
#include <optional>

#include "pki/object_ids.hpp"

namespace livetls {
namespace {

constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 4096;  // what wolfSSL is built for
constexpr std::uint8_t kUncompressedPoint = 0x04;

struct CurveEntry {
  KeyType type;
  der::Span object_id;
  int bits;
};

constexpr CurveEntry kCurves[] = {
    {KeyType::ecdsa_p256, oid::kP256, 256},
    {KeyType::ecdsa_p384, oid::kP384, 384},
    {KeyType::ecdsa_p521, oid::kP521, 521},
};

const CurveEntry* find_curve(KeyType type) noexcept {
  const auto* found = std::ranges::find(kCurves, type, &CurveEntry::type);
  return found == std::end(kCurves) ? nullptr : found;
}

Error unsupported(std::string_view kind, der::Span object_id) {
  return {Errc::unsupported_key, std::string(kind) + " " + der::object_id_text(object_id)};
}

/// Odd, and from 3 to 2^32: with a longer one a signature takes a hundred times as long to verify,
/// and with 1 anybody can make one.
bool is_rsa_exponent(der::Span content) {
  constexpr std::size_t kMaxBytes = 4;
  const auto magnitude = der::without_leading_zeros(content);
  if (magnitude.empty() || magnitude.size() > kMaxBytes) return false;
  return (magnitude.back() & 1) != 0 && (magnitude.size() > 1 || magnitude.back() >= 3);
}

/// Its size in bits, or why the key does not fit its type.
Result<int> check_key(KeyType type, der::Span key) {
  if (type == KeyType::rsa) {
    bool failed = false;
    der::Reader outer(key, failed);
    der::Reader numbers = outer.enter(der::kSequence);
    const auto modulus = numbers.content(der::kInteger);
    const auto exponent = numbers.content(der::kInteger);
    numbers.expect_end();
    outer.expect_end();
    const auto is_negative = [](der::Span number) {
      return number.empty() || (number.front() & 0x80) != 0;
    };
    if (failed || is_negative(modulus) || is_negative(exponent)) {
      return Errc::malformed_certificate;
    }
    if (!is_rsa_exponent(exponent) || (modulus.back() & 1) == 0) {
      return Error{Errc::unsupported_key, "RSA with an unusual exponent or an even modulus"};
    }
    return rsa_bits(modulus);
  }
  if (type == KeyType::ed25519) {
    if (key.size() != field_bytes(type)) return Errc::malformed_certificate;
    return 256;
  }
  if (key.empty()) return Errc::malformed_certificate;
  if (key.front() != kUncompressedPoint) {
    return Error{Errc::unsupported_key, "an elliptic curve point that is compressed"};
  }
  if (key.size() != 1 + 2 * field_bytes(type)) return Errc::malformed_certificate;
  return find_curve(type)->bits;
}

}  // namespace

Result<PublicKey> parse_public_key_info(der::Span info) {
  bool failed = false;
  der::Reader outer(info, failed);
  der::Reader fields = outer.enter(der::kSequence);
  der::Reader algorithm = fields.enter(der::kSequence);
  const auto key = fields.whole_byte_bits();
  fields.expect_end();
  outer.expect_end();
  if (failed) return Errc::malformed_certificate;

  const auto type = parse_key_algorithm(algorithm);
  if (failed) return Errc::malformed_certificate;
  if (!type) return type.error();
  const auto bits = check_key(*type, key);
  if (!bits) return bits.error();
  return PublicKey{*type, *bits, encode_public_key_info(*type, key), key};
}

std::vector<std::uint8_t> encode_public_key_info(KeyType type, der::Span key) {
  const auto info = der::sequence({encode_key_algorithm(type), der::bit_string(key)});
  return {info.begin(), info.end()};
}

SecretBytes encode_key_algorithm(KeyType type) {
  if (const auto* curve = find_curve(type)) {
    return der::sequence({der::object_id(oid::kEcPublicKey), der::object_id(curve->object_id)});
  }
  if (type == KeyType::ed25519) return der::sequence({der::object_id(oid::kEd25519)});
  return der::sequence({der::object_id(oid::kRsaEncryption), der::element(der::kNull, {})});
}

Result<KeyType> parse_key_algorithm(der::Reader algorithm) {
  const auto object_id = algorithm.content(der::kObjectId);
  if (std::ranges::equal(object_id, oid::kRsaEncryption)) {
    algorithm.skip_optional(der::kNull);
    algorithm.expect_end();
    return KeyType::rsa;
  }
  if (std::ranges::equal(object_id, oid::kEd25519)) {
    algorithm.expect_end();
    return KeyType::ed25519;
  }
  if (!std::ranges::equal(object_id, oid::kEcPublicKey)) {
    return unsupported("algorithm", object_id);
  }
  if (!algorithm.next_is(der::kObjectId)) {
    return Error{Errc::unsupported_key, "an elliptic curve without a name"};
  }
  const auto curve = parse_curve(algorithm.content(der::kObjectId));
  algorithm.expect_end();
  return curve;
}

Result<KeyType> parse_curve(der::Span object_id) {
  for (const auto& curve : kCurves) {
    if (std::ranges::equal(curve.object_id, object_id)) return curve.type;
  }
  return unsupported("elliptic curve", object_id);
}

std::size_t field_bytes(KeyType type) noexcept {
  const auto* curve = find_curve(type);
  return curve == nullptr ? 32 : static_cast<std::size_t>(curve->bits + 7) / 8;
}

Result<int> rsa_bits(der::Span modulus) {
  const auto magnitude = der::without_leading_zeros(modulus);
  const int bits = magnitude.empty() ? 0
                                     : static_cast<int>(8 * (magnitude.size() - 1)) +
                                           std::bit_width(magnitude.front());
  if (bits >= kMinRsaBits && bits <= kMaxRsaBits) return bits;
  return Error{Errc::unsupported_key, "RSA with " + std::to_string(bits) + " bits"};
}

}  // namespace livetls
