// Certificates and keys come from files that others wrote, and from peers: what loads is written
// and loads again as the same, and can be used; all else is refused with a reason.
//
// Input: PEM text. Or DER, one element after another: the certificates of a chain, and somewhere
// between them a private key. Mutations of PEM text seldom stay Base64.

#include <algorithm>
#include <optional>

#include "fuzz/fuzz_input.hpp"
#include "fuzz/require.hpp"
#include "fuzz/target.hpp"
#include "livetls/pki/certificate.hpp"
#include "livetls/pki/certificate_authority.hpp"
#include "livetls/pki/trust_bundle.hpp"
#include "livetls/tls/server_context.hpp"
#include "pki/crypto.hpp"
#include "pki/der.hpp"
#include "pki/pem.hpp"

namespace livetls::fuzz {
namespace {

void check_error(const Error& error) {
  constexpr Errc kDocumented[] = {Errc::input_too_large,
                                  Errc::input_empty,
                                  Errc::pem_torn,
                                  Errc::no_certificate,
                                  Errc::malformed_certificate,
                                  Errc::no_private_key,
                                  Errc::malformed_private_key,
                                  Errc::encrypted_private_key,
                                  Errc::unsupported_key,
                                  Errc::key_mismatch,
                                  Errc::certificate_and_key_swapped};
  require(std::ranges::any_of(kDocumented, [&](Errc reason) { return error == reason; }),
          "an error is one of those that are documented");
}

bool safe_in_a_log(std::string_view text) {
  return std::ranges::none_of(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

void check_names(const CertificateInfo& info) {
  for (const auto& ip : info.ip_names) {
    const auto name = ServerName::parse(ip);
    require(name && name->is_ip() && name->text() == ip, "addresses are in canonical text");
    require(info.matches(*name), "a certificate is for its addresses");
  }
  for (const auto& dns : info.dns_names) {
    const auto name = ServerName::parse(dns);
    if (name && !name->is_ip()) require(info.matches(*name), "a certificate is for its names");
  }
}

void check_info(Bytes der) {
  const auto info = CertificateInfo::from_der(copy(der));
  if (!info) return check_error(info.error());
  require(safe_in_a_log(info->subject) && safe_in_a_log(info->issuer),
          "names cannot forge a log line");
  require(info->serial.size() >= 2 && info->serial.size() % 2 == 0, "a serial is whole bytes");
  require(info->key_bits >= 256 && info->key_bits <= 4096, "keys are of a size that is served");
  require(info->fingerprint == crypto::sha256(der), "the fingerprint is of these bytes");
  check_names(*info);

  auto other = copy(der);
  other.push_back(0);
  require(!CertificateInfo::from_der(other), "nothing may follow a certificate");
  require(!CertificateInfo::from_der(copy(der.first(der.size() - 1))), "none of it may be missing");
}

bool same_key(const PrivateKey& a, const PrivateKey& b) {
  return a.type() == b.type() && std::ranges::equal(a.der(), b.der()) &&
         std::ranges::equal(a.public_key_der(), b.public_key_der());
}

void check_key(const PrivateKey& key) {
  const auto from_der = PrivateKey::from_der(key.der());
  require(from_der && same_key(*from_der, key), "a key's own bytes are the same key");
  const auto from_pem = PrivateKey::from_pem(as_text(key.to_pem()));
  require(from_pem && same_key(*from_pem, key), "a key that is written is the same key");
  const std::uint8_t message[] = {1, 2, 3};
  require(crypto::sign(key.type(), key.der(), message).has_value(), "a key that loads signs");
}

void check_certificate(const Certificate& certificate) {
  const auto key_pem = certificate.private_key().to_pem();
  const auto again = Certificate::from_pem(certificate.to_pem(), as_text(key_pem));
  require(again && *again == certificate, "what loads is written and loads again");
  require(again->leaf().fingerprint == certificate.leaf().fingerprint, "with the same leaf");
  require(same_key(again->private_key(), certificate.private_key()), "and the same key");
  const auto chain = certificate.chain();
  const auto rechained = certificate.with_chain({chain.begin(), chain.end()});
  require(rechained && *rechained == certificate, "its own chain fits it");

  const TlsPolicy policy{.min_version = TlsVersion::tls1_3};
  const auto context = ServerContext::build(certificate, {.tls = policy});
  require(context || context.error() == Errc::certificate_unusable, "it is served or refused");
}

std::string to_pem(std::span<const std::vector<std::uint8_t>> certificates) {
  std::string pem;
  for (const auto& der : certificates) pem += as_text(encode_pem("CERTIFICATE", der));
  return pem;
}

void check_bundle(const TrustBundle& bundle) {
  const auto certificates = bundle.certificates();
  const auto again = TrustBundle::from_pem(to_pem(certificates));
  require(again && *again == bundle, "roots that are written load again");
  require(!certificates.empty(), "a bundle is never empty");
  for (auto one = certificates.begin(); one != certificates.end(); ++one) {
    require(std::find(certificates.begin(), one, *one) == one, "a bundle holds each root once");
  }

  static const auto authority = CertificateAuthority::create().value();
  static const auto ours = authority.issue().value();
  const auto context = ServerContext::build(
      ours, {.client_auth = ClientAuth::require_and_verify, .client_roots = bundle});
  require(context || context.error() == Errc::tls_failure, "roots are used or refused");
}

void check_blocks(std::string_view text) {
  const auto blocks = parse_pem(text, text.size());
  if (!blocks) return check_error(blocks.error());
  for (const auto& block : *blocks) {
    const auto pem = encode_pem(block.label, block.der);
    const auto again = parse_pem(as_text(pem), pem.size());
    require(again && again->size() == 1 && again->front().der == block.der &&
                again->front().label == block.label,
            "a block that is written is the same block");
  }
}

void check_text(std::string_view text) {
  check_blocks(text);
  if (const auto key = PrivateKey::from_pem(text)) {
    check_key(*key);
  } else {
    check_error(key.error());
  }
  if (const auto certificate = Certificate::from_pem(text, text)) {
    check_certificate(*certificate);
  } else {
    check_error(certificate.error());
  }
  if (const auto bundle = TrustBundle::from_pem(text)) {
    check_bundle(*bundle);
  } else {
    check_error(bundle.error());
  }
}

/// The elements that follow one another, and what is left where one cannot be read.
std::vector<Bytes> elements_of(Bytes input) {
  std::vector<Bytes> elements;
  while (!input.empty()) {
    bool failed = false;
    const Bytes whole = der::Reader(input, failed).any().whole;
    elements.push_back(failed ? input : whole);
    input = input.subspan(elements.back().size());
  }
  return elements;
}

void check_der(Bytes input) {
  std::optional<PrivateKey> key;
  std::vector<std::vector<std::uint8_t>> chain;
  for (const Bytes element : elements_of(input)) {
    check_info(element);
    auto parsed = PrivateKey::from_der(copy(element));
    if (!parsed) {
      check_error(parsed.error());
      chain.push_back(copy(element));
    } else {
      check_key(*parsed);
      key = std::move(*parsed);
    }
  }
  if (const auto bundle = TrustBundle::from_pem(to_pem(chain))) check_bundle(*bundle);
  if (!key) return;
  if (const auto certificate = Certificate::from_parts(std::move(chain), std::move(*key))) {
    check_certificate(*certificate);
  } else {
    check_error(certificate.error());
  }
}

const Target kTarget("certificate", [](Bytes input) {
  check_text(as_text(input));
  if (!input.empty() && der::Tag::kSequence == input[0]) check_der(input);
});

}  // namespace
}  // namespace livetls::fuzz
