#pragma once

// The object identifiers that livetls reads and writes, as the content of their DER elements.

#include <array>
#include <cstdint>

namespace livetls::oid {

// Public keys
inline constexpr auto kEcPublicKey =
    std::to_array<std::uint8_t>({0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01});
inline constexpr auto kP256 =
    std::to_array<std::uint8_t>({0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07});
inline constexpr auto kP384 = std::to_array<std::uint8_t>({0x2b, 0x81, 0x04, 0x00, 0x22});
inline constexpr auto kP521 = std::to_array<std::uint8_t>({0x2b, 0x81, 0x04, 0x00, 0x23});
inline constexpr auto kRsaEncryption =
    std::to_array<std::uint8_t>({0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01});
inline constexpr auto kEd25519 = std::to_array<std::uint8_t>({0x2b, 0x65, 0x70});

// Signatures
inline constexpr auto kEcdsaWithSha256 =
    std::to_array<std::uint8_t>({0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02});
inline constexpr auto kEcdsaWithSha384 =
    std::to_array<std::uint8_t>({0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03});
inline constexpr auto kEcdsaWithSha512 =
    std::to_array<std::uint8_t>({0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04});
inline constexpr auto kSha256WithRsa =
    std::to_array<std::uint8_t>({0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b});

// Signatures that no longer prove anything
inline constexpr auto kMd2WithRsa =
    std::to_array<std::uint8_t>({0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x02});
inline constexpr auto kMd5WithRsa =
    std::to_array<std::uint8_t>({0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x04});
inline constexpr auto kSha1WithRsa =
    std::to_array<std::uint8_t>({0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05});
inline constexpr auto kEcdsaWithSha1 =
    std::to_array<std::uint8_t>({0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01});

// Certificate extensions
inline constexpr auto kSubjectKeyIdentifier = std::to_array<std::uint8_t>({0x55, 0x1d, 0x0e});
inline constexpr auto kKeyUsage = std::to_array<std::uint8_t>({0x55, 0x1d, 0x0f});
inline constexpr auto kSubjectAltName = std::to_array<std::uint8_t>({0x55, 0x1d, 0x11});
inline constexpr auto kBasicConstraints = std::to_array<std::uint8_t>({0x55, 0x1d, 0x13});
inline constexpr auto kAuthorityKeyIdentifier = std::to_array<std::uint8_t>({0x55, 0x1d, 0x23});
inline constexpr auto kExtendedKeyUsage = std::to_array<std::uint8_t>({0x55, 0x1d, 0x25});
inline constexpr auto kServerAuth =
    std::to_array<std::uint8_t>({0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01});
inline constexpr auto kClientAuth =
    std::to_array<std::uint8_t>({0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02});

// Attributes of names
inline constexpr auto kCommonName = std::to_array<std::uint8_t>({0x55, 0x04, 0x03});
inline constexpr auto kOrganization = std::to_array<std::uint8_t>({0x55, 0x04, 0x0a});

}  // namespace livetls::oid
