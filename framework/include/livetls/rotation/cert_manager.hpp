#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "livetls/base/published.hpp"
#include "livetls/base/result.hpp"
#include "livetls/pki/certificate.hpp"
#include "livetls/rotation/cert_set.hpp"
#include "livetls/rotation/plan.hpp"
#include "livetls/rotation/receipt.hpp"
#include "livetls/rotation/snapshot.hpp"
#include "livetls/tls/server_context.hpp"

namespace livetls {

/// Holds what is served now, for every server that was given it at construction.
///
/// An update is checked and built whole before it is published, with one atomic store: a refused
/// one changes nothing. Once `update` has returned, every ClientHello that is read, on every
/// server, is answered from it; established connections stay on what they started with.
///
/// Thread safety: everything may be called from any thread. Readers, handshakes among them, never
/// wait; updates take turns. Lifetime: shared; servers keep it alive.
class CertManager final : public ContextSource, public std::enable_shared_from_this<CertManager> {
 public:
  struct Options {
    /// The time that validity is judged by; the system's clock when empty.
    std::function<std::chrono::sys_seconds()> now = {};

    /// Whether clients may resume sessions. Those that are asked for a certificate never may.
    bool session_tickets = true;

    /// Ticket secrets of your own, for example shared with other managers; made here when empty.
    std::shared_ptr<TicketKeys> ticket_keys = {};

    /// How many earlier generations are kept to roll back to. Their private keys stay in memory,
    /// and `Receipt::async_erased` waits, until they have left the history.
    std::size_t history_limit = 1;
  };

  /// A callable for a ClientHello, bound to the manager and always current.
  using CertificateFunc = std::function<Result<Certificate>(const ClientHello&)>;

  /// Errors: as for update.
  static Result<std::shared_ptr<CertManager>> create(CertSet set, Options options);
  static Result<std::shared_ptr<CertManager>> create(CertSet set) { return create(set, {}); }
  static Result<std::shared_ptr<CertManager>> create(Certificate certificate);

  /// Replaces everything.
  /// Errors: certificate_expired, certificate_not_yet_valid, certificate_unusable,
  /// invalid_server_name; the context names the identity.
  Result<Receipt> update(CertSet set);

  /// Replaces the default certificate and leaves the named ones.
  Result<Receipt> update(Certificate certificate);

  /// Adds an identity under a name, or replaces it. Errors: as for update.
  Result<Receipt> set(const std::string& name, Identity identity);

  /// Takes the identity of a name away. Errors: unknown_identity.
  Result<Receipt> erase(const std::string& name);

  /// Builds and examines `set`, and publishes nothing yet. Errors: what cannot be served at all:
  /// certificate_unusable, invalid_server_name, no_default_certificate, no_client_roots,
  /// default_weaker_than_named. All else is in the plan's findings.
  Result<Plan> stage(CertSet set, const StagingPolicy& policy = {});

  /// Publishes again, as a new generation, what was served before the current one. Errors:
  /// nothing_to_roll_back_to; certificate_expired where that has happened meanwhile.
  Result<Receipt> rollback();

  /// Ends the trial of a commit that asked for one: it stays. So does one on which something else
  /// was published meanwhile. Errors: nothing_to_confirm.
  Result<void> confirm();

  /// Lets go of what a rollback would need, and with it of the old private keys.
  void forget_history();

  /// The default certificate that is served now; of several, the one that is offered first.
  Certificate certificate() const;
  CertificateFunc certificate_func() const;

  std::shared_ptr<const Snapshot> snapshot() const { return current_.load(); }

  /// Counts published snapshots; the first is 1.
  std::uint64_t generation() const { return current_.load()->generation(); }

  /// Who still uses which generation, the oldest first.
  std::vector<Generations::Use> generations_in_use() const { return generations_->uses(); }

  /// nullptr where sessions cannot be resumed.
  const std::shared_ptr<TicketKeys>& ticket_keys() const noexcept { return ticket_keys_; }

  Result<Served> select(const ClientHello& hello) const override;

 private:
  CertManager(std::shared_ptr<const Snapshot> first, std::shared_ptr<Generations> generations,
              std::shared_ptr<TicketKeys> ticket_keys, Options options);

  friend class Plan;

  using SnapshotPtr = std::shared_ptr<const Snapshot>;

  // With updates_ held
  Result<SnapshotPtr> build(const CertSet& set, const Snapshot& takes_over_from) const;
  Result<Receipt> check_and_publish(const CertSet& set);
  Receipt publish(SnapshotPtr next);
  void remember(SnapshotPtr replaced);

  Result<Receipt> roll_back();

  Result<Receipt> commit(const Plan& plan, const CommitOptions& options);

  struct Trial {
    std::uint64_t generation;
    std::chrono::steady_clock::time_point until;
    CommitOptions options;
  };
  void watch_trials(const std::stop_token& stop);
  bool has_failed(const Trial& trial) const;

  Options options_;
  std::shared_ptr<Generations> generations_;
  std::shared_ptr<TicketKeys> ticket_keys_;  // nullptr: no tickets
  std::mutex updates_;
  std::deque<SnapshotPtr> history_;  // what was served before, the latest last
  Published<Snapshot> current_;

  std::optional<Trial> trial_;  // of the current generation
  std::condition_variable_any trial_began_;
  std::jthread watcher_;  // since the first trial; ends before all else goes
};

}  // namespace livetls
