#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "livetls/base/result.hpp"
#include "livetls/pki/certificate_info.hpp"
#include "livetls/pki/ocsp_staple.hpp"
#include "livetls/pki/private_key.hpp"

namespace livetls {

/// A leaf certificate, the chain that vouches for it, and the private key that fits it.
/// One that exists is whole: parsed, and its key matched to the leaf.
///
/// Copies are cheap and share one immutable state, which may be used from any thread. The key's
/// bytes are wiped when the last copy, and the last connection served with it, is gone.
class Certificate {
 public:
  /// Inputs above this size are refused unread.
  static constexpr std::size_t kMaxInputBytes = 1 << 20;

  /// Reads PEM files: the leaf first and its chain after it, and the key in any of PKCS#8, PKCS#1
  /// or SEC1. Both may be the same file.
  /// Errors name the file: file_unreadable, input_too_large, input_empty, pem_torn, no_certificate,
  /// malformed_certificate, no_private_key, malformed_private_key, encrypted_private_key,
  /// unsupported_key, key_mismatch, certificate_and_key_swapped.
  static Result<Certificate> load(const std::filesystem::path& certificate_file,
                                  const std::filesystem::path& key_file);

  /// The same from memory. The caller wipes its own copy of the key.
  static Result<Certificate> from_pem(std::string_view certificate_pem, std::string_view key_pem);

  /// The same from parts already parsed: `chain` holds DER certificates, the leaf first.
  static Result<Certificate> from_parts(std::vector<std::vector<std::uint8_t>> chain,
                                        PrivateKey key);

  /// The same leaf, key and staple with another chain, in DER, the leaf first. Errors:
  /// no_certificate, malformed_certificate, key_mismatch (it begins with another leaf).
  Result<Certificate> with_chain(std::vector<std::vector<std::uint8_t>> chain) const;

  /// The same with an OCSP response to go along with it. Errors: staple_for_another_certificate.
  Result<Certificate> with_staple(OcspStaple staple) const;

  const CertificateInfo& leaf() const noexcept;
  const PrivateKey& private_key() const noexcept;

  /// DER, the leaf first.
  std::span<const std::vector<std::uint8_t>> chain() const noexcept;

  /// Whether each certificate of the chain is followed by its issuer (RFC 8446, section 4.4.2).
  bool is_chain_in_order() const noexcept;

  /// What its chain is signed with, in TLS's codes (RFC 8446, section 4.2.3), each once. Signatures
  /// of roots by themselves are left out, and those for which TLS has no code.
  std::span<const std::uint16_t> signature_schemes() const noexcept;

  const std::optional<OcspStaple>& staple() const noexcept;

  /// The chain as PEM, the leaf first: what a file for `load` holds.
  std::string to_pem() const;

  /// Same leaf, same chain (and so the same key), same staple.
  friend bool operator==(const Certificate& a, const Certificate& b) noexcept;

 private:
  struct State;
  static Result<Certificate> assemble(std::vector<std::vector<std::uint8_t>> chain,
                                      std::shared_ptr<const PrivateKey> key);
  explicit Certificate(std::shared_ptr<const State> state) : state_(std::move(state)) {}

  std::shared_ptr<const State> state_;
};

}  // namespace livetls
