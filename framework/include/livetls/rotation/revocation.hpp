#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "livetls/pki/certificate.hpp"
#include "livetls/rotation/drain.hpp"
#include "livetls/rotation/receipt.hpp"

namespace livetls {

enum class DrainScope {
  none,
  revoked_key,  ///< connections that were served the revoked key
  all_older,    ///< every connection of an older generation
};

/// What happens when a private key is not one's own any more.
struct RevokeOptions {
  /// Served in the place of every certificate with the revoked key. Empty: identities go on with
  /// their other certificates, if they have any.
  std::optional<Certificate> replacement = {};

  DrainScope drain = DrainScope::revoked_key;

  /// Connections are told to end one after the other over this time.
  std::chrono::steady_clock::duration spread = std::chrono::seconds(10);

  /// Counted from the revocation; what is still open then is cut. Range: not below `spread`.
  std::chrono::steady_clock::duration deadline = std::chrono::seconds(60);
};

/// The answer to a revocation: it is published, the tickets are dead, and connections are ending.
class Revocation {
 public:
  Revocation(Receipt published, std::shared_ptr<DrainProgress> progress)
      : receipt(std::move(published)), progress_(std::move(progress)) {}

  Receipt receipt;

  DrainProgress::Counts connections() const noexcept { return progress_->counts(); }

  /// Completes when all connections that it concerns have ended; as the waits of a Receipt do.
  template <class Token>
  auto async_finished(std::chrono::steady_clock::duration within, Token&& token) const {
    return progress_->async_finished(progress_, within, std::forward<Token>(token));
  }

 private:
  std::shared_ptr<DrainProgress> progress_;
};

}  // namespace livetls
