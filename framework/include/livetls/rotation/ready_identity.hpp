#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "livetls/base/result.hpp"
#include "livetls/rotation/cert_set.hpp"
#include "livetls/rotation/revoked_key.hpp"
#include "livetls/tls/handshake_counts.hpp"
#include "livetls/tls/server_context.hpp"

namespace livetls {

class ContextCache;

/// What all identities of a snapshot are served under. A value.
struct ServingTerms {
  TlsPolicy tls = {};
  std::optional<TrustBundle> client_roots = {};
  std::shared_ptr<const TicketKeys> ticket_keys = {};
  std::shared_ptr<const RevokedKeys> revoked = {};

  /// Of one certificate of an identity.
  ServingPolicy policy(const Identity& identity, const Certificate& certificate) const;
};

/// How handshakes under one name went, for as long as the name is served. Made when the first
/// counts, since most of very many names are never asked for. Thread-safe.
class IdentityCounts {
 public:
  IdentityCounts() = default;
  IdentityCounts(const IdentityCounts&) = delete;
  IdentityCounts& operator=(const IdentityCounts&) = delete;
  ~IdentityCounts() { delete counts_.load(std::memory_order_acquire); }

  HandshakeCounts& counts();
  HandshakeTotals totals() const noexcept;

 private:
  std::atomic<HandshakeCounts*> counts_ = nullptr;
};

/// An identity made ready to serve. Immutable, and shared by all snapshots in which it is the same.
///
/// Its contexts are kept, or, where there are more identities than memory should hold contexts of,
/// built when they are asked for and kept in a bounded cache. Each was built once before the
/// identity came to be, so that what cannot be served is not published.
class ReadyIdentity : public std::enable_shared_from_this<ReadyIdentity> {
 public:
  using ContextPtr = std::shared_ptr<const ServerContext>;

  ReadyIdentity(std::string name, Identity identity, std::shared_ptr<const ServingTerms> terms,
                std::shared_ptr<IdentityCounts> counts);
  ReadyIdentity(const ReadyIdentity&) = delete;
  ReadyIdentity& operator=(const ReadyIdentity&) = delete;
  ~ReadyIdentity();

  /// Takes a context from one of `donors` where it fits, and builds the others. `on_demand` is
  /// nullptr where they are kept. Errors: as for Snapshot::build.
  Result<void> prepare(const std::vector<const ReadyIdentity*>& donors,
                       std::shared_ptr<ContextCache> on_demand);

  /// As it is listed; "default" for the default.
  const std::string& name() const noexcept { return name_; }
  const Identity& identity() const noexcept { return identity_; }

  /// Whether serving `identity` under `terms` would be the same.
  bool serves(const Identity& identity, const ServingTerms& terms) const;

  /// Whether `context` is one of its own.
  bool serves(const ServerContext& context) const;

  /// In the order in which clients are offered them.
  std::size_t size() const noexcept { return offered_.size(); }
  const Certificate& certificate(std::size_t index) const noexcept { return offered_[index]; }
  ServingPolicy policy(std::size_t index) const;

  /// Which certificate a client gets: the first that it can take with a chain that it says it can
  /// verify, else the first that it can take; empty where there is none.
  std::optional<std::size_t> choose(const ClientHello& hello) const noexcept;

  /// Errors: those of ServerContext::build, where it has to be built again.
  Result<ContextPtr> context(std::size_t index) const;

  /// How many contexts it keeps: all, or none.
  std::size_t kept_contexts() const noexcept { return kept_.size(); }

  HandshakeCounts& counts() const { return counts_->counts(); }
  const std::shared_ptr<IdentityCounts>& shared_counts() const noexcept { return counts_; }

 private:
  ContextPtr kept_for(const Certificate& certificate, const ServingPolicy& policy) const;

  std::string name_;
  Identity identity_;
  std::vector<Certificate> offered_;
  std::shared_ptr<const ServingTerms> terms_;
  std::shared_ptr<IdentityCounts> counts_;
  std::vector<ContextPtr> kept_;
  std::shared_ptr<ContextCache> on_demand_;
};

}  // namespace livetls
