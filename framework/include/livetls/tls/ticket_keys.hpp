#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "livetls/base/published.hpp"
#include "livetls/base/result.hpp"
#include "livetls/base/secret_bytes.hpp"

namespace livetls {

/// The secrets that session tickets are sealed with, on a schedule of their own: certificates may
/// change while tickets stay good, and the secrets change while certificates stay.
///
/// At any time there are three epochs: tickets are sealed with the current one, and opened with the
/// previous, the current and the next, so that several machines that share them need not change at
/// the same moment. A ticket's key is derived (HKDF-SHA-256, RFC 5869) from the epoch's secret and
/// the policy it was issued under; under another policy the ticket does not open. Tickets are
/// sealed with AES-256-GCM.
///
/// Thread safety: everything from any thread; sealing and opening never wait.
class TicketKeys {
 public:
  struct Options {
    /// How long tickets are sealed with one secret.
    std::chrono::seconds epoch = std::chrono::hours(8);

    /// How long after its full handshake a session may be resumed; a ticket that is issued in a
    /// resumed session inherits its age. A ticket lives for one to two epochs at most, too. Range:
    /// up to seven days (RFC 8446, section 4.6.1).
    std::chrono::seconds max_age = std::chrono::hours(8);

    /// The system's clock when empty.
    std::function<std::chrono::sys_seconds()> now = {};
  };

  using PolicyDigest = std::array<std::uint8_t, 32>;

  /// With fresh secrets. Throws std::system_error where there is no randomness.
  explicit TicketKeys(Options options);
  TicketKeys() : TicketKeys(Options{}) {}

  /// Takes secrets that another instance exported. Errors: ticket_secrets_malformed.
  Result<void> import_secrets(std::span<const std::uint8_t> exported);

  /// All three epochs, for other machines of the same service. Whoever has them can read what was
  /// sent in resumed sessions of TLS 1.2: keep them as private keys are kept.
  SecretBytes export_secrets() const;

  /// When the current epoch ends.
  std::chrono::sys_seconds epoch_until() const { return epochs()->current_until; }

  /// Whether a ticket, as it comes from a client, names one of the three epochs.
  bool know(std::span<const std::uint8_t> ticket) const;

  /// After a compromise: no ticket that was sealed so far opens any more.
  void revoke_all();

  // For the TLS engine

  static constexpr std::size_t kNameBytes = 16;
  static constexpr std::size_t kNonceBytes = 12;
  static constexpr std::size_t kTagBytes = 16;
  static constexpr std::size_t kOverheadBytes = 8;  // the time of the full handshake, sealed too

  struct Sealed {
    std::array<std::uint8_t, kNameBytes> name;
    std::array<std::uint8_t, kNonceBytes> nonce;
    std::array<std::uint8_t, kTagBytes> tag;
  };

  /// Seals `ticket` in place; its last kOverheadBytes are overwritten. `authenticated_at` is the
  /// time of the session's full handshake, now if this is it.
  Result<Sealed> seal(std::span<std::uint8_t> ticket, const PolicyDigest& policy,
                      std::chrono::sys_seconds authenticated_at) const;

  struct Opened {
    std::chrono::sys_seconds authenticated_at;
    bool renew;  ///< its epoch is not the current one
  };

  /// Opens `ticket` in place. Errors: ticket_refused (another policy, an epoch that is gone, too
  /// old, or no ticket of ours).
  Result<Opened> open(std::span<std::uint8_t> ticket, const Sealed& sealed,
                      const PolicyDigest& policy) const;

  std::chrono::sys_seconds now() const;
  std::chrono::seconds max_age() const noexcept { return options_.max_age; }

 private:
  struct Epoch {
    std::array<std::uint8_t, kNameBytes> name;
    SecretBytes secret;
  };
  struct Epochs {
    Epoch previous;
    Epoch current;
    Epoch next;
    std::chrono::sys_seconds current_until;
  };

  static Epoch fresh_epoch();
  std::shared_ptr<const Epochs> fresh_epochs() const;
  std::shared_ptr<const Epochs> epochs() const;

  Options options_;
  mutable std::mutex changes_;
  mutable Published<Epochs> epochs_;
};

}  // namespace livetls
