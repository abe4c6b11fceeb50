// Which clients can take a certificate. What the TLS library would do with one they cannot take is
// to fail; so this is asked before, while another certificate can still be chosen.

#include "livetls/tls/server_context.hpp"

#include <algorithm>
#include <array>

namespace livetls {
namespace {

using Code = std::uint16_t;

/// What a kind of key needs the client to offer: in TLS 1.3 `schemes13`, in TLS 1.2 one of
/// `schemes12`, one of `suites12` and, if it lists curves, `curve`.
struct Requirements {
  std::array<Code, 3> schemes13;
  std::array<Code, 6> schemes12;
  std::array<Code, 3> suites12;
  Code curve;
};

constexpr std::array<Code, 3> kEcdsaSuites = {0xc02b, 0xc02c, 0xcca9};
constexpr std::array<Code, 3> kRsaSuites = {0xc02f, 0xc030, 0xcca8};
constexpr std::array<Code, 6> kEcdsaSchemes = {0x0403, 0x0503, 0x0603};
constexpr std::array<Code, 6> kRsaSchemes = {0x0401, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806};

constexpr Requirements requirements(KeyType type) {
  switch (type) {
    case KeyType::ecdsa_p256: return {{0x0403}, kEcdsaSchemes, kEcdsaSuites, 23};
    case KeyType::ecdsa_p384: return {{0x0503}, kEcdsaSchemes, kEcdsaSuites, 24};
    case KeyType::ecdsa_p521: return {{0x0603}, kEcdsaSchemes, kEcdsaSuites, 25};
    case KeyType::rsa: return {{0x0804, 0x0805, 0x0806}, kRsaSchemes, kRsaSuites, 0};
    case KeyType::ed25519: return {{0x0807}, {0x0807}, kEcdsaSuites, 0};  // RFC 8422, 5.10
  }
  return {};
}

/// A list that was not sent excludes nothing: the TLS library decides what that means. (But Ed25519
/// is nothing that a client of TLS 1.2 would take unasked; RFC 8422, section 5.1.3.)
template <std::size_t N>
bool offers_one_of(const CodePoints& offered, const std::array<Code, N>& wanted) {
  if (offered.empty()) return true;
  return std::ranges::any_of(wanted,
                             [&](Code code) { return code != 0 && offered.contains(code); });
}

/// What secrets can be agreed on in: X25519MLKEM768, X25519, P-256, P-384 and P-521.
constexpr std::array<Code, 5> kGroups = {0x11ec, 29, 23, 24, 25};

}  // namespace

bool is_usable_by(const ClientHello& hello, KeyType key_type, const TlsPolicy& policy) noexcept {
  const Requirements needs = requirements(key_type);
  if (!offers_one_of(hello.supported_groups, kGroups)) return false;
  if (hello.offers_tls13() && policy.max_version == TlsVersion::tls1_3) {
    return offers_one_of(hello.signature_algorithms, needs.schemes13);
  }
  if (policy.min_version == TlsVersion::tls1_3) return true;  // refused for its version
  const bool knows_curve = needs.curve == 0 || hello.supported_groups.empty() ||
                           hello.supported_groups.contains(needs.curve);
  if (key_type == KeyType::ed25519 && hello.signature_algorithms.empty()) return false;
  return knows_curve && offers_one_of(hello.signature_algorithms, needs.schemes12) &&
         offers_one_of(hello.cipher_suites, needs.suites12);
}

bool accepts_chain(const ClientHello& hello, const Certificate& certificate) noexcept {
  const CodePoints& accepted = hello.signature_algorithms_cert.empty()
                                   ? hello.signature_algorithms
                                   : hello.signature_algorithms_cert;
  return accepted.empty() || std::ranges::all_of(certificate.signature_schemes(), [&](Code scheme) {
           return accepted.contains(scheme);
         });
}

}  // namespace livetls
