#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "livetls/base/result.hpp"

namespace livetls {

/// An OCSP response about one certificate (RFC 6960), for a server to send along with it
/// (RFC 6066, section 8). Its signature is checked when it is published.
///
/// Copies are cheap and share one immutable state, which may be used from any thread.
class OcspStaple {
 public:
  /// Inputs above this size are refused unread.
  static constexpr std::size_t kMaxInputBytes = 64 * 1024;

  /// Errors: staple_malformed (also for a response about several certificates, or one that never
  /// becomes stale); staple_not_good for a responder's error and for a certificate that is revoked
  /// or unknown.
  static Result<OcspStaple> from_der(std::span<const std::uint8_t> response);

  /// Of the certificate that it is about, as CertificateInfo::serial.
  const std::string& serial() const noexcept { return state_->serial; }
  std::chrono::sys_seconds this_update() const noexcept { return state_->this_update; }
  std::chrono::sys_seconds next_update() const noexcept { return state_->next_update; }
  std::span<const std::uint8_t> der() const noexcept { return state_->der; }

  bool valid_at(std::chrono::sys_seconds time) const noexcept {
    return this_update() <= time && time < next_update();
  }

  friend bool operator==(const OcspStaple& a, const OcspStaple& b) noexcept {
    return a.state_ == b.state_ || a.state_->der == b.state_->der;
  }

 private:
  struct State {
    std::string serial;
    std::chrono::sys_seconds this_update;
    std::chrono::sys_seconds next_update;
    std::vector<std::uint8_t> der;
  };
  explicit OcspStaple(std::shared_ptr<const State> state) : state_(std::move(state)) {}

  std::shared_ptr<const State> state_;
};

}  // namespace livetls
