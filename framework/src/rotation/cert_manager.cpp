#include "livetls/rotation/cert_manager.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "livetls/base/log.hpp"
#include "rotation/examine.hpp"

namespace livetls {
namespace {

std::chrono::sys_seconds now(const CertManager::Options& options) {
  if (options.now) return options.now();
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

Result<void> check_validity(const std::string& name, const Identity& identity,
                            std::chrono::sys_seconds time) {
  for (const Certificate& certificate : identity.certificates) {
    const CertificateInfo& leaf = certificate.leaf();
    if (time > leaf.not_after) return Error{Errc::certificate_expired, name + ": " + leaf.subject};
    if (time < leaf.not_before) {
      return Error{Errc::certificate_not_yet_valid, name + ": " + leaf.subject};
    }
  }
  return {};
}

Result<void> check_validity(const CertSet& set, std::chrono::sys_seconds time) {
  if (auto valid = check_validity("default", set.default_identity, time); !valid) return valid;
  for (const auto& [name, identity] : set.identities) {
    if (auto valid = check_validity(name, identity, time); !valid) return valid;
  }
  return {};
}

/// What a name is listed under, in whatever spelling that was.
std::map<std::string, Identity>::iterator find_identity(CertSet& set, const NamePattern& name) {
  return std::ranges::find_if(set.identities, [&](const auto& entry) {
    const auto listed = NamePattern::parse(entry.first);
    return listed && *listed == name;
  });
}

}  // namespace

CertManager::CertManager(std::shared_ptr<const Snapshot> first,
                         std::shared_ptr<Generations> generations,
                         std::shared_ptr<TicketKeys> ticket_keys, Options options)
    : options_(std::move(options)),
      generations_(std::move(generations)),
      ticket_keys_(std::move(ticket_keys)),
      current_(std::move(first)) {}

Result<std::shared_ptr<CertManager>> CertManager::create(CertSet set, Options options) {
  auto generations = std::make_shared<Generations>();
  auto ticket_keys = options.ticket_keys;
  if (!ticket_keys && options.session_tickets) {
    ticket_keys = std::make_shared<TicketKeys>(TicketKeys::Options{.now = options.now});
  }
  if (const auto valid = check_validity(set, now(options)); !valid) return valid.error();
  Result<SnapshotPtr> first = Snapshot::build(set, 1, nullptr, generations, ticket_keys);
  if (!first) return first.error();
  generations->add(1, (*first)->shared_counts());
  generations->made_current(1);
  return std::shared_ptr<CertManager>(new CertManager(std::move(*first), std::move(generations),
                                                      std::move(ticket_keys), std::move(options)));
}

Result<std::shared_ptr<CertManager>> CertManager::create(Certificate certificate) {
  return create(CertSet{.default_identity = std::move(certificate)});
}

Result<Receipt> CertManager::update(CertSet set) {
  const std::scoped_lock turn(updates_);
  return check_and_publish(set);
}

Result<Receipt> CertManager::update(Certificate certificate) {
  const std::scoped_lock turn(updates_);
  CertSet set = current_.load()->set();
  set.default_identity.certificates = {std::move(certificate)};
  return check_and_publish(set);
}

Result<Receipt> CertManager::set(const std::string& name, Identity identity) {
  const auto pattern = NamePattern::parse(name);
  if (!pattern) return pattern.error();
  const std::scoped_lock turn(updates_);
  CertSet set = current_.load()->set();
  const auto listed = find_identity(set, *pattern);
  if (listed == set.identities.end()) {
    set.identities.emplace(name, std::move(identity));
  } else {
    listed->second = std::move(identity);
  }
  return check_and_publish(set);
}

Result<Receipt> CertManager::erase(const std::string& name) {
  const auto pattern = NamePattern::parse(name);
  if (!pattern) return pattern.error();
  const std::scoped_lock turn(updates_);
  CertSet set = current_.load()->set();
  const auto listed = find_identity(set, *pattern);
  if (listed == set.identities.end()) return Error{Errc::unknown_identity, name};
  set.identities.erase(listed);
  return check_and_publish(set);
}

Result<Plan> CertManager::stage(CertSet set, const StagingPolicy& policy) {
  const std::scoped_lock turn(updates_);
  const SnapshotPtr base = current_.load();
  std::vector<Finding> findings = repair_chains(set, policy);
  std::ranges::move(examine(base->set(), set, policy, now(options_)), std::back_inserter(findings));
  Result<SnapshotPtr> staged = build(set, *base);
  if (!staged) return staged.error();
  return Plan(shared_from_this(), base->generation(), std::move(*staged), std::move(findings));
}

Result<Receipt> CertManager::commit(const Plan& plan, const CommitOptions& options) {
  const bool on_trial = options.confirm_within > std::chrono::steady_clock::duration::zero();
  if (on_trial && options_.history_limit == 0) {
    throw std::invalid_argument("confirm_within needs a history_limit above zero");
  }
  const std::scoped_lock turn(updates_);
  if (const auto current = current_.load(); current->generation() != plan.base_generation_) {
    return Error{Errc::plan_outdated, "staged on generation " +
                                          std::to_string(plan.base_generation_) + ", now " +
                                          std::to_string(current->generation())};
  }
  // Time has passed since the findings were made.
  const bool judged = std::ranges::any_of(plan.findings_, [](const Finding& finding) {
    return finding.kind == FindingKind::expired || finding.kind == FindingKind::not_yet_valid;
  });
  if (const auto valid = check_validity(plan.set(), now(options_)); !valid && !judged) {
    return valid.error();
  }
  remember(current_.load());
  const Receipt receipt = publish(plan.snapshot_);
  if (!on_trial) return receipt;
  trial_ =
      Trial{receipt.generation, std::chrono::steady_clock::now() + options.confirm_within, options};
  if (!watcher_.joinable()) {
    watcher_ = std::jthread([this](const std::stop_token& stop) { watch_trials(stop); });
  }
  trial_began_.notify_one();
  return receipt;
}

Result<Receipt> CertManager::rollback() {
  const std::scoped_lock turn(updates_);
  return roll_back();
}

Result<Receipt> CertManager::roll_back() {
  if (history_.empty()) return Error{Errc::nothing_to_roll_back_to};
  const SnapshotPtr earlier = history_.back();
  if (const auto valid = check_validity(earlier->set(), now(options_)); !valid) {
    return valid.error();
  }
  Result<SnapshotPtr> again = build(earlier->set(), *earlier);
  if (!again) return again.error();
  history_.pop_back();
  return publish(std::move(*again));
}

Result<void> CertManager::confirm() {
  const std::scoped_lock turn(updates_);
  if (!trial_) return Error{Errc::nothing_to_confirm};
  trial_.reset();
  return {};
}

void CertManager::watch_trials(const std::stop_token& stop) {
  constexpr auto kInterval = std::chrono::milliseconds(100);
  std::unique_lock turn(updates_);
  while (trial_began_.wait(turn, stop, [this] { return trial_.has_value(); })) {
    const auto next_look = std::min(trial_->until, std::chrono::steady_clock::now() + kInterval);
    trial_began_.wait_until(turn, stop, next_look, [] { return false; });
    if (stop.stop_requested()) return;
    if (!trial_ || !has_failed(*trial_)) continue;
    const std::string number = std::to_string(trial_->generation);
    trial_.reset();
    const Result<Receipt> back = roll_back();
    log(LogLevel::error, back ? "generation " + number + " was not confirmed: rolled back"
                              : "generation " + number + " stays: " + back.error().message());
  }
}

bool CertManager::has_failed(const Trial& trial) const {
  if (std::chrono::steady_clock::now() >= trial.until) return true;
  const SnapshotPtr current = current_.load();
  const auto failed = static_cast<double>(current->counts().failed());
  const auto all = failed + static_cast<double>(current->counts().completed());
  return all >= static_cast<double>(trial.options.min_handshakes) &&
         failed > trial.options.max_failure_rate * all;
}

void CertManager::forget_history() {
  std::deque<SnapshotPtr> forgotten;
  const std::scoped_lock turn(updates_);
  forgotten.swap(history_);
}

Result<CertManager::SnapshotPtr> CertManager::build(const CertSet& set,
                                                    const Snapshot& takes_over_from) const {
  return Snapshot::build(set, current_.load()->generation() + 1, &takes_over_from, generations_,
                         ticket_keys_);
}

Result<Receipt> CertManager::check_and_publish(const CertSet& set) {
  if (const auto valid = check_validity(set, now(options_)); !valid) return valid.error();
  SnapshotPtr current = current_.load();
  Result<SnapshotPtr> next = build(set, *current);
  if (!next) return next.error();
  remember(std::move(current));
  return publish(std::move(*next));
}

void CertManager::remember(SnapshotPtr replaced) {
  history_.push_back(std::move(replaced));
  while (history_.size() > options_.history_limit) history_.pop_front();
}

Receipt CertManager::publish(SnapshotPtr next) {
  trial_.reset();
  const std::uint64_t number = next->generation();
  generations_->add(number, next->shared_counts());
  current_.store(std::move(next));
  generations_->made_current(number);
  return Receipt(number, std::chrono::system_clock::now(), generations_);
}

Certificate CertManager::certificate() const {
  return current_.load()->find_default().contexts->front()->certificate();
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
  auto [snapshot, seat] = current_.read([](const std::shared_ptr<const Snapshot>& current) {
    return std::pair(current, GenerationSeat(current->counts()));
  });
  Snapshot::Found found = snapshot->find_default();
  if (!hello.server_name.empty()) {
    const Result<ServerName> name = ServerName::parse(hello.server_name);
    if (!name) return Error{Errc::malformed_client_hello, name.error().context};
    found = snapshot->find(*name);
  }
  for (const auto& context : *found.contexts) {
    if (!context->usable_by(hello)) continue;
    return Served{std::shared_ptr<const ServerContext>(snapshot, context.get()),
                  snapshot->generation(), found.match, std::move(seat)};
  }
  return Error{Errc::no_common_parameters, "no certificate that the client can take"};
}

}  // namespace livetls
