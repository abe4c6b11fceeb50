#pragma once

#include <array>
#include <atomic>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string_view>

namespace livetls {

/// How the certificate that is served fits the name that was asked for.
enum class NameMatch {
  none_asked,  ///< the client sent no server name
  exact,
  wildcard,
  unknown,  ///< no certificate is for that name: this is the default
};

/// Why a handshake did not come to its end.
enum class HandshakeFailure {
  not_tls,
  plain_http,
  malformed,                   ///< a ClientHello that cannot be read, or is too large
  unrecognized_name,           ///< or no name where one is required
  no_common_parameters,        ///< version, cipher suite, certificate or application protocol
  refused_by_peer,             ///< the client sent an alert: mostly, it did not trust us
  client_certificate_missing,  ///< where one is required
  client_certificate_expired,  ///< or not valid yet, or a CA above it
  client_certificate_purpose,  ///< it, or a CA above it, may not be used for clients
  client_certificate,  ///< leads to no trusted root, by the rules of docs/path-validation.md
  timed_out,
  disconnected,
  other,
};

inline constexpr std::size_t kHandshakeFailures = 13;

HandshakeFailure handshake_failure(boost::system::error_code reason) noexcept;
std::string_view to_string(HandshakeFailure failure) noexcept;

/// Handshakes by how they went, at one moment.
struct HandshakeTotals {
  std::uint64_t full = 0;
  std::uint64_t resumed = 0;
  std::array<std::uint64_t, kHandshakeFailures> failures = {};  ///< by HandshakeFailure
  std::array<std::uint64_t, 4> names = {};                      ///< by NameMatch

  std::uint64_t completed() const noexcept { return full + resumed; }
  std::uint64_t failed() const noexcept {
    return std::accumulate(failures.begin(), failures.end(), std::uint64_t{0});
  }
  std::uint64_t failed(HandshakeFailure why) const noexcept {
    return failures[static_cast<std::size_t>(why)];
  }
  std::uint64_t asked(NameMatch match) const noexcept {
    return names[static_cast<std::size_t>(match)];
  }
};

/// Counts handshakes. Thread-safe.
class HandshakeCounts {
 public:
  void add_asked(NameMatch match) noexcept { add(names_[static_cast<std::size_t>(match)]); }
  void add_completed(bool resumed) noexcept { add(resumed ? resumed_ : full_); }
  void add_failed(HandshakeFailure why) noexcept { add(failures_[static_cast<std::size_t>(why)]); }

  HandshakeTotals totals() const noexcept;

 private:
  using Count = std::atomic<std::uint64_t>;

  static void add(Count& count) noexcept { count.fetch_add(1, std::memory_order_relaxed); }

  Count full_ = 0;
  Count resumed_ = 0;
  std::array<Count, kHandshakeFailures> failures_ = {};
  std::array<Count, 4> names_ = {};
};

}  // namespace livetls
