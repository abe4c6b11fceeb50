#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "livetls/base/result.hpp"
#include "livetls/pki/certificate.hpp"
#include "livetls/rotation/cert_set.hpp"
#include "livetls/rotation/drain.hpp"
#include "livetls/rotation/event_log.hpp"
#include "livetls/rotation/plan.hpp"
#include "livetls/rotation/receipt.hpp"
#include "livetls/rotation/revocation.hpp"
#include "livetls/rotation/snapshot.hpp"
#include "livetls/rotation/status.hpp"
#include "livetls/tls/server_context.hpp"

namespace livetls {

struct ScheduledPlan;

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
    /// The time that validity is judged by; the system's clock when empty. Whoever sets it calls
    /// `attend` as well: the manager then has no thread that looks at the time by itself.
    std::function<std::chrono::sys_seconds()> now = {};

    /// The clock of `CommitOptions::confirm_within`; the steady clock when empty. As for `now`.
    std::function<std::chrono::steady_clock::time_point()> steady_now = {};

    /// Whether clients may resume sessions. Those that are asked for a certificate never may.
    bool session_tickets = true;

    /// Ticket secrets of your own, for example shared with other managers; made here when empty.
    std::shared_ptr<TicketKeys> ticket_keys = {};

    /// How many earlier generations are kept to roll back to. Their private keys stay in memory,
    /// and `Receipt::async_erased` waits, until they have left the history.
    std::size_t history_limit = 1;

    /// Named identities have their contexts (about 10 KiB each) kept up to this many. Those of
    /// further ones are built when they are asked for, and so many of them stay, too.
    std::size_t max_kept_contexts = 1024;

    /// How many events `status` remembers.
    std::size_t event_limit = 1000;

    /// How long before the expiry of a certificate that is served there is an event.
    std::vector<std::chrono::seconds> expiry_thresholds = {
        std::chrono::days(14), std::chrono::days(7), std::chrono::days(3), std::chrono::days(1),
        std::chrono::seconds(0)};
  };

  /// A callable for a ClientHello, bound to the manager and always current.
  using CertificateFunc = std::function<Result<Certificate>(const ClientHello&)>;

  /// Errors: as for update.
  static Result<std::shared_ptr<CertManager>> create(CertSet set, Options options);
  static Result<std::shared_ptr<CertManager>> create(CertSet set) { return create(set, {}); }
  static Result<std::shared_ptr<CertManager>> create(Certificate certificate);
  ~CertManager() override;

  /// Replaces everything.
  /// Errors: certificate_expired, certificate_not_yet_valid, certificate_unusable,
  /// certificate_revoked, invalid_server_name, no_client_roots, default_weaker_than_named; the
  /// context names the identity.
  Result<Receipt> update(const CertSet& set);

  /// Replaces the default certificate and leaves the named ones.
  Result<Receipt> update(Certificate certificate);

  /// Adds an identity under a name, or replaces it. Errors: as for update.
  Result<Receipt> set(const std::string& name, Identity identity);

  /// Takes the identity of a name away. Errors: unknown_identity.
  Result<Receipt> erase(const std::string& name);

  /// Has an OCSP response go along with the certificate that it is about, wherever that is served;
  /// clients get it until it becomes stale. (Not where clients show certificates: wolfSSL would
  /// have to trust the issuer of the server's own for that.) Errors: those of
  /// OcspStaple::from_der, staple_for_another_certificate, staple_stale, staple_unusable.
  Result<Receipt> staple(std::span<const std::uint8_t> ocsp_response);

  /// Builds and examines `set`, and publishes nothing yet. Errors: what cannot be served at all:
  /// certificate_unusable, certificate_revoked, invalid_server_name, identity_without_certificate,
  /// no_client_roots, default_weaker_than_named. All else is in the plan's findings.
  Result<Plan> stage(CertSet set, const StagingPolicy& policy = {});

  /// Publishes again, as a new generation, what was served before the current one. Errors:
  /// nothing_to_roll_back_to; certificate_expired where that has happened meanwhile.
  Result<Receipt> rollback();

  /// Ends the trial of a commit that asked for one: it stays. So does one on which something else
  /// than a staple was published meanwhile. Errors: nothing_to_confirm.
  Result<void> confirm();

  /// Takes back what Plan::schedule has scheduled. Errors: nothing_scheduled, for what has been
  /// published already, too.
  Result<void> cancel_scheduled(std::uint64_t id);

  /// After a compromise: stops serving the private key of `compromised`, for good; ends the tickets
  /// that were issued beside it; forgets the history; and ends connections, as `options` says.
  /// Errors: nothing_to_serve_instead; as for update, of the replacement.
  /// Throws std::invalid_argument for a deadline below the spread.
  Result<Revocation> revoke(const Certificate& compromised, RevokeOptions options = {});

  /// Lets go of what a rollback would need, and with it of the old private keys.
  void forget_history();

  /// Does what is due by now: ends trials, commits what is scheduled, changes ticket secrets, and
  /// looks for certificates that expire soon. The manager's own thread does it, except where the
  /// clock is the caller's.
  void attend();

  /// The default certificate that is served now; of several, the one that is offered first.
  Certificate certificate() const;
  CertificateFunc certificate_func() const;

  /// The same, and whom clients' certificates are verified against, both of one snapshot: what who
  /// also makes connections shows, and whom it believes.
  struct Credentials {
    Certificate certificate;
    std::optional<TrustBundle> client_roots;
  };
  Credentials credentials() const;

  std::shared_ptr<const Snapshot> snapshot() const;

  /// Counts published snapshots; the first is 1.
  std::uint64_t generation() const;

  /// Who still uses which generation, the oldest first.
  std::vector<Generations::Use> generations_in_use() const;

  /// Everything there is to know. Costs a walk over all identities.
  Status status() const;

  /// Calls `observer` for every event from now on, until the observation is destroyed, or the
  /// manager. See EventLog.
  [[nodiscard]] EventLog::Observation observe(EventLog::Observer observer);

  /// What clients of this name are asked for now; of a name that is none, as of an unknown one,
  /// what the default identity asks.
  ClientAuth client_auth(std::string_view server_name) const;

  /// nullptr where sessions cannot be resumed.
  const std::shared_ptr<TicketKeys>& ticket_keys() const noexcept;

  Result<Served> select(const ClientHello& hello) const override;

  /// For those who keep connections. One that is removed is not being called any more.
  void add(ConnectionHolder& holder);
  void remove(ConnectionHolder& holder);

 private:
  using SnapshotPtr = Snapshot::Ptr;

  CertManager(SnapshotPtr first, Snapshot::Shared shared, std::shared_ptr<TicketKeys> ticket_keys,
              std::shared_ptr<EventLog> events, Options options);

  friend class Plan;
  Result<Receipt> commit(const Plan& plan, const CommitOptions& options);
  Result<Scheduled> schedule(const Plan& plan, const ScheduleOptions& options);

  // With the lock of updates held
  std::uint64_t next_generation() const { return generation() + 1; }
  Result<Receipt> publish_checked(const Result<SnapshotPtr>& next, const std::string& what);
  Receipt publish(SnapshotPtr next);
  void remember(SnapshotPtr replaced);
  Result<Receipt> roll_back(const std::string& why);
  std::optional<std::string> end_failed_trial();  // what went wrong
  std::optional<std::string> commit_scheduled(const ScheduledPlan& plan);

  void drain(const DrainOrder& order);
  Error refused(Error error) const;
  void note(EventKind kind, std::uint64_t generation, std::string detail) const;
  void look_for_expiry();
  void look_for_ticket_epoch();
  std::chrono::steady_clock::time_point next_look() const;

  std::chrono::sys_seconds now() const;
  std::chrono::steady_clock::time_point steady_now() const;

  struct Trial;
  bool has_failed(const Trial& trial) const;

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace livetls
