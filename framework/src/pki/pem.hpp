#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "livetls/base/result.hpp"
#include "livetls/base/secret_bytes.hpp"

namespace livetls {

/// One "-----BEGIN label-----" block (RFC 7468).
struct PemBlock {
  std::string label;
  bool encrypted = false;  ///< by RFC 1421 headers ("Proc-Type: 4,ENCRYPTED"); `der` is ciphertext
  SecretBytes der;

  bool is_certificate() const noexcept {
    return label == "CERTIFICATE" || label == "X509 CERTIFICATE";
  }
  bool is_private_key() const noexcept { return label.ends_with("PRIVATE KEY"); }
};

/// The blocks in their order; text around them is skipped, as are line-ending differences.
/// Errors: input_too_large, input_empty, pem_torn (the context says at which block).
Result<std::vector<PemBlock>> parse_pem(std::string_view text, std::size_t limit);

SecretBytes encode_pem(std::string_view label, std::span<const std::uint8_t> der);

inline std::string_view as_text(std::span<const std::uint8_t> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace livetls
