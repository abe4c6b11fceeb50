#include "livetls/pki/private_key.hpp"

#include <algorithm>

#include "livetls/pki/certificate.hpp"
#include "pki/crypto.hpp"
#include "pki/der.hpp"
#include "pki/pem.hpp"
#include "pki/public_key.hpp"

// A key arrives in one of three shapes, told apart by what follows the version number:
//   PKCS#8 (RFC 5958)  version, algorithm, OCTET STRING with one of the others (or Ed25519's seed)
//   PKCS#1 (RFC 8017)  version, modulus, public exponent, private exponent, ...
//   SEC1 (RFC 5915)    version, OCTET STRING with the scalar, [0] curve, [1] public key
// Each is reduced to a Secret, from which the public half and the stored shape are made anew.

namespace livetls {
namespace {

/// The scalar of an ECDSA key, the seed of an Ed25519 key, or the PKCS#1 bytes of an RSA key.
struct Secret {
  KeyType type;
  SecretBytes bytes;
};

SecretBytes copy(der::Span bytes) { return {bytes.begin(), bytes.end()}; }

Result<Secret> read_rsa(der::Element whole) {
  bool failed = false;
  der::Reader numbers(whole.content, failed);
  const auto version = numbers.content(der::kInteger);
  const auto modulus = numbers.content(der::kInteger);
  // The public and private exponents, both primes, their exponents, and the coefficient.
  for (int count = 0; count < 7; ++count) numbers.content(der::kInteger);
  if (failed) return Errc::malformed_private_key;
  if (version.size() != 1 || version.front() != 0) {
    return Error{Errc::unsupported_key, "RSA with more than two primes"};
  }
  numbers.expect_end();
  if (failed) return Errc::malformed_private_key;
  if (const auto bits = rsa_bits(modulus); !bits) return bits.error();
  return Secret{KeyType::rsa, copy(whole.whole)};
}

/// Some writers leave a scalar's leading zeros out, or add some.
Result<Secret> read_scalar(KeyType type, der::Span scalar) {
  scalar = der::without_leading_zeros(scalar);
  const auto size = field_bytes(type);
  if (scalar.size() > size) return Errc::malformed_private_key;
  SecretBytes bytes(size);
  std::ranges::copy(scalar, bytes.end() - static_cast<std::ptrdiff_t>(scalar.size()));
  return Secret{type, std::move(bytes)};
}

/// `curve` is what surrounds the key and names its curve already, if anything does.
Result<Secret> read_sec1(der::Span content, const KeyType* curve) {
  constexpr auto kParameters = der::context_constructed(0);
  bool failed = false;
  der::Reader fields(content, failed);
  fields.content(der::kInteger);
  const auto scalar = fields.content(der::kOctetString);
  if (failed) return Errc::malformed_private_key;
  if (curve != nullptr) return read_scalar(*curve, scalar);

  if (!fields.next_is(kParameters)) {
    return Error{Errc::unsupported_key, "an elliptic curve without a name"};
  }
  der::Reader parameters = fields.enter(kParameters);
  if (!parameters.next_is(der::kObjectId)) {
    return Error{Errc::unsupported_key, "an elliptic curve without a name"};
  }
  const auto named = parse_curve(parameters.content(der::kObjectId));
  fields.skip_optional(der::context_constructed(1));
  fields.expect_end();
  if (failed) return Errc::malformed_private_key;
  if (!named) return named.error();
  return read_scalar(*named, scalar);
}

Result<Secret> read_pkcs8(der::Reader fields, bool& failed) {
  der::Reader algorithm = fields.enter(der::kSequence);
  der::Reader key(fields.content(der::kOctetString), failed);
  if (failed) return Errc::malformed_private_key;
  const auto type = parse_key_algorithm(algorithm);
  if (failed) return Errc::malformed_private_key;
  if (!type) return type.error();

  const bool is_ed25519 = *type == KeyType::ed25519;
  const auto inner = key.element(is_ed25519 ? der::kOctetString : der::kSequence);
  key.expect_end();
  if (failed) return Errc::malformed_private_key;
  if (*type == KeyType::rsa) return read_rsa(inner);
  if (!is_ed25519) return read_sec1(inner.content, &*type);
  if (inner.content.size() != field_bytes(*type)) return Errc::malformed_private_key;
  return Secret{*type, copy(inner.content)};
}

Result<Secret> read_secret(der::Span der) {
  bool failed = false;
  der::Reader outer(der, failed);
  const auto whole = outer.element(der::kSequence);
  outer.expect_end();
  der::Reader fields(whole.content, failed);
  if (fields.next_is(der::kSequence)) {
    fields.any();
    const bool encrypted = fields.next_is(der::kOctetString);  // EncryptedPrivateKeyInfo
    return encrypted ? Errc::encrypted_private_key : Errc::malformed_private_key;
  }
  fields.content(der::kInteger);
  if (fields.next_is(der::kSequence)) return read_pkcs8(fields, failed);
  if (fields.next_is(der::kInteger)) return read_rsa(whole);
  if (fields.next_is(der::kOctetString)) return read_sec1(whole.content, nullptr);
  return Errc::malformed_private_key;
}

/// RSAPublicKey, which is the second and third number of the private key.
std::vector<std::uint8_t> rsa_public_key(der::Span pkcs1) {
  bool failed = false;
  der::Reader numbers = der::Reader(pkcs1, failed).enter(der::kSequence);
  numbers.content(der::kInteger);
  const auto modulus = numbers.element(der::kInteger).whole;
  const auto exponent = numbers.element(der::kInteger).whole;
  const auto key = der::sequence({modulus, exponent});
  return {key.begin(), key.end()};
}

SecretBytes encode_pkcs8(KeyType type, der::Span key) {
  return der::sequence({der::small_integer(0), encode_key_algorithm(type), der::octet_string(key)});
}

/// The shape that PrivateKey::der() promises.
SecretBytes encode_stored(const Secret& secret, der::Span public_key) {
  if (secret.type == KeyType::rsa) return secret.bytes;
  const auto key = der::octet_string(secret.bytes);
  if (secret.type == KeyType::ed25519) return encode_pkcs8(secret.type, key);

  bool failed = false;
  const auto algorithm = encode_key_algorithm(secret.type);
  der::Reader fields = der::Reader(algorithm, failed).enter(der::kSequence);
  fields.any();
  const auto curve = fields.any().whole;
  return der::sequence({der::small_integer(1), key,
                        der::element(der::context_constructed(0), {curve}),
                        der::element(der::context_constructed(1), {der::bit_string(public_key)})});
}

/// An RSA key's numbers must belong together, or it would sign wrongly: signing shows.
Result<void> check_rsa(der::Span pkcs1) {
  constexpr std::uint8_t kProbe[] = {'l', 'i', 'v', 'e', 't', 'l', 's'};
  const auto signature = crypto::sign(KeyType::rsa, pkcs1, kProbe);
  if (!signature) return Error{Errc::malformed_private_key, signature.error().context};
  return {};
}

}  // namespace

Result<PrivateKey> PrivateKey::from_pem(std::string_view pem) {
  const auto blocks = parse_pem(pem, Certificate::kMaxInputBytes);
  if (!blocks) return blocks.error();
  const auto block = std::ranges::find_if(*blocks, &PemBlock::is_private_key);
  if (block == blocks->end()) {
    const bool swapped = std::ranges::any_of(*blocks, &PemBlock::is_certificate);
    return swapped ? Errc::certificate_and_key_swapped : Errc::no_private_key;
  }
  if (block->encrypted) return Errc::encrypted_private_key;
  if (block->label == "OPENSSH PRIVATE KEY") {
    return Error{Errc::unsupported_key, "in OpenSSH's own format"};
  }
  return from_der(block->der);
}

Result<PrivateKey> PrivateKey::from_der(std::span<const std::uint8_t> der) {
  auto secret = read_secret(der);
  if (!secret) return secret.error();
  if (secret->type == KeyType::rsa) {
    if (const auto checked = check_rsa(secret->bytes); !checked) return checked.error();
  }
  const auto public_key = secret->type == KeyType::rsa
                              ? Result<std::vector<std::uint8_t>>(rsa_public_key(secret->bytes))
                              : crypto::derive_public_key(secret->type, secret->bytes);
  if (!public_key) return public_key.error();
  return PrivateKey(secret->type, encode_stored(*secret, *public_key),
                    encode_public_key_info(secret->type, *public_key));
}

Result<PrivateKey> PrivateKey::generate(KeyType type) {
  auto bytes = crypto::generate_secret(type);
  if (!bytes) return bytes.error();
  Secret secret{type, std::move(*bytes)};
  if (type == KeyType::rsa) return from_der(secret.bytes);
  const auto public_key = crypto::derive_public_key(type, secret.bytes);
  if (!public_key) return Error{Errc::key_generation_failed, public_key.error().context};
  return PrivateKey(type, encode_stored(secret, *public_key),
                    encode_public_key_info(type, *public_key));
}

SecretBytes PrivateKey::to_pem() const {
  constexpr std::string_view kLabel = "PRIVATE KEY";
  if (type_ == KeyType::ed25519) return encode_pem(kLabel, der_);
  return encode_pem(kLabel, encode_pkcs8(type_, der_));
}

}  // namespace livetls
