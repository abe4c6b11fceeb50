#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "livetls/base/result.hpp"

namespace livetls {

/// The CA certificates that peers are verified against. Never empty.
///
/// Copies are cheap and share one immutable state, which may be used from any thread.
class TrustBundle {
 public:
  /// Inputs above this size are refused unread.
  static constexpr std::size_t kMaxInputBytes = 8 << 20;

  /// Errors name the file: file_unreadable, and those of from_pem.
  static Result<TrustBundle> load(const std::filesystem::path& file);

  /// Certificates with a kind of key that is not supported are left out. Errors: input_too_large,
  /// input_empty, pem_torn, no_certificate, malformed_certificate; unsupported_key where no other
  /// certificate is there.
  static Result<TrustBundle> from_pem(std::string_view pem);

  /// The roots that the operating system trusts. Errors: file_unreadable where it keeps none in the
  /// usual places. Certificates in it that cannot be used are left out.
  static Result<TrustBundle> system();

  /// Which certificates were left out, and why: "certificate 7: RSA with 8192 bits: ...".
  std::span<const Error> left_out() const noexcept;

  std::span<const std::vector<std::uint8_t>> certificates() const noexcept;

  /// What the subjects of all of them take up together, in DER.
  std::size_t subject_bytes() const noexcept;

  friend bool operator==(const TrustBundle& a, const TrustBundle& b) noexcept;

  struct State;
  const State& state() const noexcept { return *state_; }  ///< for livetls itself

 private:
  explicit TrustBundle(std::shared_ptr<const State> state) : state_(std::move(state)) {}

  std::shared_ptr<const State> state_;
};

}  // namespace livetls
