// What is served, and how it is replaced. What happens by itself, after time, is in
// cert_manager_attend.cpp, and the way out of a compromise in cert_manager_revoke.cpp.

#include "livetls/rotation/cert_manager.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <stdexcept>
#include <utility>

#include "rotation/cert_manager_state.hpp"
#include "rotation/check_validity.hpp"
#include "rotation/context_cache.hpp"
#include "rotation/date.hpp"
#include "rotation/examine.hpp"

namespace livetls {
namespace {

std::chrono::sys_seconds time_of(const CertManager::Options& options) {
  if (options.now) return options.now();
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

Generations::Listener milestones_into(const std::shared_ptr<EventLog>& events) {
  return [events](Milestone milestone, std::uint64_t generation) {
    const EventKind kind = milestone == Milestone::quiesced  ? EventKind::quiesced
                           : milestone == Milestone::drained ? EventKind::drained
                                                             : EventKind::erased;
    events->add({kind, std::chrono::system_clock::now(), generation, {}});
  };
}

/// A context that lives as long as the snapshot it was chosen from, and keeps that alive.
std::shared_ptr<const ServerContext> pin(std::shared_ptr<const ServerContext> context,
                                         const ReadyIdentity& identity, Snapshot::Ptr snapshot) {
  const ServerContext* chosen = context.get();
  if (identity.kept_contexts() > 0) return {std::move(snapshot), chosen};
  auto both = std::make_shared<std::pair<Snapshot::Ptr, std::shared_ptr<const ServerContext>>>(
      std::move(snapshot), std::move(context));
  return {std::move(both), chosen};
}

/// The identities that serve the certificate of `staple`, with it.
std::map<std::string, Identity> with_staple(const Snapshot& snapshot, const OcspStaple& staple) {
  std::map<std::string, Identity> stapled;
  snapshot.for_each([&](const ReadyIdentity& ready) {
    Identity identity = ready.identity();
    bool any = false;
    for (Certificate& certificate : identity.certificates) {
      if (auto same = certificate.with_staple(staple)) certificate = *same, any = true;
    }
    if (any) stapled.emplace(ready.name(), std::move(identity));
  });
  return stapled;
}

std::string summary(const std::vector<Finding>& findings) {
  const auto count = [&](Severity severity) {
    return std::to_string(std::ranges::count(findings, severity, &Finding::severity));
  };
  return count(Severity::refusal) + " refusals, " + count(Severity::warning) + " warnings";
}

}  // namespace

CertManager::CertManager(SnapshotPtr first, Snapshot::Shared shared,
                         std::shared_ptr<TicketKeys> ticket_keys, std::shared_ptr<EventLog> events,
                         Options options)
    : state_(std::make_unique<State>(std::move(first), std::move(shared), std::move(ticket_keys),
                                     std::move(events), std::move(options))) {
  if (state_->options.now || state_->options.steady_now) return;  // then its owner calls attend()
  state_->attendant = std::make_unique<Attendant>([this] {
    attend();
    return next_look();
  });
}

CertManager::~CertManager() {
  state_->attendant.reset();  // while all else is there
}

Result<std::shared_ptr<CertManager>> CertManager::create(CertSet set, Options options) {
  auto events = std::make_shared<EventLog>(options.event_limit);
  auto ticket_keys = options.ticket_keys;
  if (!ticket_keys && options.session_tickets) {
    ticket_keys = std::make_shared<TicketKeys>(TicketKeys::Options{.now = options.now});
  }
  const Snapshot::Shared shared{
      .generations = std::make_shared<Generations>(milestones_into(events)),
      .ticket_keys = ticket_keys,
      .max_kept_contexts = options.max_kept_contexts,
      .on_demand = std::make_shared<ContextCache>(options.max_kept_contexts)};
  if (const auto valid = check_validity(set, time_of(options)); !valid) return valid.error();
  Result<SnapshotPtr> first = Snapshot::build(set, 1, nullptr, shared);
  if (!first) return first.error();
  shared.generations->add(1, (*first)->shared_counts());
  shared.generations->made_current(1);
  return std::shared_ptr<CertManager>(new CertManager(
      std::move(*first), shared, std::move(ticket_keys), std::move(events), std::move(options)));
}

Result<std::shared_ptr<CertManager>> CertManager::create(Certificate certificate) {
  return create(CertSet{.default_identity = std::move(certificate)});
}

// ---- Updates ---------------------------------------------------------------------------------

Result<Receipt> CertManager::update(const CertSet& set) {
  const std::scoped_lock turn(state_->updates);
  if (const auto valid = check_validity(set, now()); !valid) return refused(valid.error());
  const SnapshotPtr current = state_->current.load();
  return publish_checked(Snapshot::build(set, next_generation(), current.get(), state_->shared),
                         "everything");
}

Result<Receipt> CertManager::update(Certificate certificate) {
  const std::scoped_lock turn(state_->updates);
  const SnapshotPtr current = state_->current.load();
  Identity identity = current->find_default().identity->identity();
  identity.certificates = {std::move(certificate)};
  if (const auto valid = check_validity("default", identity, now()); !valid) {
    return refused(valid.error());
  }
  return publish_checked(current->with_default(std::move(identity), next_generation()), "default");
}

Result<Receipt> CertManager::set(const std::string& name, Identity identity) {
  const std::scoped_lock turn(state_->updates);
  if (const auto valid = check_validity(name, identity, now()); !valid) {
    return refused(valid.error());
  }
  const SnapshotPtr current = state_->current.load();
  return publish_checked(current->with(name, std::move(identity), next_generation()), name);
}

Result<Receipt> CertManager::erase(const std::string& name) {
  const std::scoped_lock turn(state_->updates);
  const SnapshotPtr current = state_->current.load();
  return publish_checked(current->without(name, next_generation()), name + " (erased)");
}

Result<Receipt> CertManager::staple(std::span<const std::uint8_t> ocsp_response) {
  const std::scoped_lock turn(state_->updates);
  const Result<OcspStaple> staple = OcspStaple::from_der(ocsp_response);
  if (!staple) return refused(staple.error());
  if (!staple->valid_at(now())) {
    return refused({Errc::staple_stale, date_and_time(staple->this_update()) + " to " +
                                            date_and_time(staple->next_update())});
  }
  SnapshotPtr next = state_->current.load();
  const std::uint64_t generation = next_generation();
  Error reason{Errc::staple_for_another_certificate, "serial number " + staple->serial()};
  bool found = false;
  for (const auto& [name, identity] : with_staple(*next, *staple)) {
    auto changed = name == "default" ? next->with_default(identity, generation)
                                     : next->with(name, identity, generation);
    if (changed) {
      next = std::move(*changed);
      found = true;
    } else {
      reason = changed.error();  // another authority's certificate may have the same number
    }
  }
  if (!found) return refused(reason);
  // Certificates stay what they are: it is nothing to roll back to, and a trial goes on.
  const std::optional<Trial> trial = state_->trial;
  const Receipt receipt = publish(next);
  if (trial) state_->trial = Trial{receipt.generation, trial->until, trial->options};
  note(EventKind::committed, receipt.generation,
       "staple until " + date_and_time(staple->next_update()));
  return receipt;
}

Result<Receipt> CertManager::rollback() {
  const std::scoped_lock turn(state_->updates);
  return roll_back("asked for");
}

Result<Receipt> CertManager::roll_back(const std::string& why) {
  if (state_->history.empty()) return Error{Errc::nothing_to_roll_back_to};
  const SnapshotPtr current = state_->current.load(), earlier = state_->history.back();
  if (const auto valid = check_changes(*current, *earlier, {}, now()); !valid) {
    return refused(valid.error());
  }
  const std::uint64_t replaced = current->generation();
  state_->history.pop_back();
  const Receipt receipt = publish(earlier->again(next_generation()));
  note(EventKind::rolled_back, receipt.generation,
       "from generation " + std::to_string(replaced) + " to what generation " +
           std::to_string(earlier->generation()) + " served: " + why);
  return receipt;
}

void CertManager::forget_history() {
  std::deque<SnapshotPtr> forgotten;
  const std::scoped_lock turn(state_->updates);
  forgotten.swap(state_->history);
}

Result<Receipt> CertManager::publish_checked(const Result<SnapshotPtr>& next,
                                             const std::string& what) {
  if (!next) return refused(next.error());
  remember(state_->current.load());
  const Receipt receipt = publish(*next);
  note(EventKind::committed, receipt.generation, what);
  return receipt;
}

Receipt CertManager::publish(SnapshotPtr next) {
  state_->trial.reset();
  const std::uint64_t number = next->generation();
  state_->generations->add(number, next->shared_counts());
  state_->current.store(std::move(next));
  state_->published_at = std::chrono::system_clock::now();
  state_->generations->made_current(number);
  return Receipt(number, state_->published_at, state_->generations);
}

void CertManager::remember(SnapshotPtr replaced) {
  state_->history.push_back(std::move(replaced));
  while (state_->history.size() > state_->options.history_limit) state_->history.pop_front();
}

// ---- Plans -----------------------------------------------------------------------------------

Result<Plan> CertManager::stage(CertSet set, const StagingPolicy& policy) {
  const std::scoped_lock turn(state_->updates);
  const SnapshotPtr base = state_->current.load();
  std::vector<Finding> findings = repair_chains(set, policy);
  std::ranges::move(examine(*base, set, policy, now()), std::back_inserter(findings));
  Result<SnapshotPtr> staged = Snapshot::build(set, next_generation(), base.get(), state_->shared);
  if (!staged) return refused(staged.error());
  note(EventKind::staged, base->generation(), summary(findings));
  return Plan(shared_from_this(), base->generation(), std::move(*staged), std::move(findings));
}

Result<Receipt> CertManager::commit(const Plan& plan, const CommitOptions& options) {
  const bool on_trial = options.confirm_within > std::chrono::steady_clock::duration::zero();
  if (on_trial && state_->options.history_limit == 0) {
    throw std::invalid_argument("confirm_within needs a history_limit above zero");
  }
  const std::scoped_lock turn(state_->updates);
  const SnapshotPtr current = state_->current.load();
  if (const auto error = plan.error(current->generation())) return refused(*error);
  // Time has passed since the findings were made.
  auto judged = plan.identities_with(FindingKind::expired);
  judged.merge(plan.identities_with(FindingKind::not_yet_valid));
  if (const auto valid = check_changes(*current, *plan.snapshot_, judged, now()); !valid) {
    return refused(valid.error());
  }
  const Result<Receipt> receipt =
      publish_checked(plan.snapshot_, "a plan" + plan.overridden_refusals());
  if (!on_trial) return receipt;
  state_->trial = Trial{receipt->generation, steady_now() + options.confirm_within, options};
  if (state_->attendant) state_->attendant->look_again();
  return receipt;
}

Result<Scheduled> CertManager::schedule(const Plan& plan, const ScheduleOptions& options) {
  Scheduled scheduled{0, options.not_before};
  const std::scoped_lock turn(state_->updates);
  const SnapshotPtr base = state_->current.load();
  if (const auto error = plan.error(base->generation(), FindingKind::not_yet_valid)) {
    return refused(*error);
  }
  plan.snapshot_->for_each([&](const ReadyIdentity& identity) {
    for (const Certificate& certificate : identity.identity().certificates) {
      scheduled.at = std::max(scheduled.at, certificate.leaf().not_before + options.skew);
    }
  });
  scheduled.id = state_->schedule.add({.at = scheduled.at,
                                       .changes = Changes(base->set(), plan.set()),
                                       .overridden = plan.overridden_refusals(),
                                       .expired = plan.identities_with(FindingKind::expired)});
  note(EventKind::scheduled, base->generation(),
       "number " + std::to_string(scheduled.id) + " at " + date_and_time(scheduled.at));
  if (state_->attendant) state_->attendant->look_again();
  return scheduled;
}

Result<void> CertManager::cancel_scheduled(std::uint64_t id) {
  const std::scoped_lock turn(state_->updates);
  if (!state_->schedule.cancel(id)) return Error{Errc::nothing_scheduled, std::to_string(id)};
  return {};
}

Result<void> CertManager::confirm() {
  const std::scoped_lock turn(state_->updates);
  if (!state_->trial) return Error{Errc::nothing_to_confirm};
  note(EventKind::confirmed, state_->trial->generation, {});
  state_->trial.reset();
  return {};
}

// ---- Reading ---------------------------------------------------------------------------------

std::shared_ptr<const Snapshot> CertManager::snapshot() const { return state_->current.load(); }

std::uint64_t CertManager::generation() const { return state_->current.load()->generation(); }

std::vector<Generations::Use> CertManager::generations_in_use() const {
  return state_->generations->uses();
}

EventLog::Observation CertManager::observe(EventLog::Observer observer) {
  return state_->events->observe(std::move(observer));
}

const std::shared_ptr<TicketKeys>& CertManager::ticket_keys() const noexcept {
  return state_->ticket_keys;
}

Certificate CertManager::certificate() const {
  return state_->current.load()->find_default().identity->certificate(0);
}

CertManager::Credentials CertManager::credentials() const {
  const ReadyIdentity& identity = *state_->current.load()->find_default().identity;
  return {identity.certificate(0), identity.policy(0).client_roots};
}

ClientAuth CertManager::client_auth(std::string_view server_name) const {
  const SnapshotPtr snapshot = state_->current.load();
  const Result<ServerName> name = ServerName::parse(server_name);
  const Snapshot::Found found = name ? snapshot->find(*name) : snapshot->find_default();
  return found.identity->identity().client_auth;
}

CertManager::CertificateFunc CertManager::certificate_func() const {
  return [manager = shared_from_this()](const ClientHello& hello) -> Result<Certificate> {
    const Result<Served> served = manager->select(hello);
    if (!served) return served.error();
    return served->context->certificate();
  };
}

Result<Served> CertManager::select(const ClientHello& hello) const {
  // Counted before anything newer can have been published whole: see Published::read.
  auto [snapshot, seat] = state_->current.read([](const std::shared_ptr<const Snapshot>& current) {
    return std::pair(current, GenerationSeat(current->counts()));
  });
  const Snapshot::Found found = snapshot->find_asked(hello.server_name);
  seat.found(found.identity->counts(), found.match);
  const auto choice = found.identity->choose(hello);
  if (!choice) {
    seat.fail(HandshakeFailure::no_common_parameters);
    return Error{Errc::no_common_parameters, "no certificate that the client can take"};
  }
  auto context = found.identity->context(*choice);
  if (!context) return context.error();
  const std::uint64_t generation = snapshot->generation();
  const Selection* selection = snapshot.get();
  return Served{pin(std::move(*context), *found.identity, std::move(snapshot)), generation,
                found.match, selection, std::move(seat)};
}

// ---- What everything here needs --------------------------------------------------------------

std::chrono::sys_seconds CertManager::now() const { return time_of(state_->options); }

std::chrono::steady_clock::time_point CertManager::steady_now() const {
  return state_->options.steady_now ? state_->options.steady_now()
                                    : std::chrono::steady_clock::now();
}

Error CertManager::refused(Error error) const {
  note(EventKind::refused, state_->current.load()->generation(), error.message());
  return error;
}

void CertManager::note(EventKind kind, std::uint64_t generation, std::string detail) const {
  state_->events->add({kind, std::chrono::system_clock::now(), generation, std::move(detail)});
}

}  // namespace livetls
