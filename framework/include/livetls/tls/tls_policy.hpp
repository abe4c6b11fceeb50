#pragma once

#include <cstdint>
#include <string_view>

namespace livetls {

enum class TlsVersion : std::uint16_t { tls1_2 = 0x0303, tls1_3 = 0x0304 };

std::string_view to_string(TlsVersion version) noexcept;

/// What is negotiated. The suites are fixed: ECDHE with AES-GCM or ChaCha20-Poly1305, and
/// X25519MLKEM768 (TLS 1.3, from wolfSSL 5.8.4 on) before X25519, P-256 and P-384.
struct TlsPolicy {
  TlsVersion min_version = TlsVersion::tls1_2;
  TlsVersion max_version = TlsVersion::tls1_3;

  friend bool operator==(const TlsPolicy&, const TlsPolicy&) = default;
};

}  // namespace livetls
