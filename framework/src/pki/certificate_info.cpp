#include "livetls/pki/certificate_info.hpp"

#include <algorithm>

#include "pki/parsed_certificate.hpp"

namespace livetls {

std::string_view to_string(KeyType type) noexcept {
  switch (type) {
    case KeyType::ecdsa_p256: return "ECDSA P-256";
    case KeyType::ecdsa_p384: return "ECDSA P-384";
    case KeyType::ecdsa_p521: return "ECDSA P-521";
    case KeyType::rsa: return "RSA";
    case KeyType::ed25519: return "Ed25519";
  }
  return "unknown";
}

std::string to_hex(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const auto byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 0xf];
  }
  return text;
}

Result<CertificateInfo> CertificateInfo::from_der(std::span<const std::uint8_t> der) {
  auto parsed = parse_certificate_twice(der);
  if (!parsed) return parsed.error();
  return std::move(parsed->info);
}

bool CertificateInfo::matches(const ServerName& name) const {
  if (name.is_ip()) return std::ranges::find(ip_names, name.text()) != ip_names.end();
  return std::ranges::any_of(dns_names, [&](const std::string& text) {
    const auto pattern = NamePattern::parse(text);
    return pattern && pattern->matches(name);
  });
}

}  // namespace livetls
