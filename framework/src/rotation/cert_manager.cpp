#include "livetls/rotation/cert_manager.hpp"

#include <utility>

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

Result<std::shared_ptr<const Snapshot>> check_and_build(const CertSet& set,
                                                        std::uint64_t generation,
                                                        const Snapshot* previous,
                                                        std::shared_ptr<Generations> generations,
                                                        std::shared_ptr<const TicketKeys> tickets,
                                                        std::chrono::sys_seconds time) {
  if (Result<void> valid = check_validity("default", set.default_identity, time); !valid) {
    return valid.error();
  }
  for (const auto& [name, identity] : set.identities) {
    if (Result<void> valid = check_validity(name, identity, time); !valid) {
      return valid.error();
    }
  }
  return Snapshot::build(set, generation, previous, std::move(generations), std::move(tickets));
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
  Result<std::shared_ptr<const Snapshot>> first =
      check_and_build(set, 1, nullptr, generations, ticket_keys, now(options));
  if (!first) return first.error();
  generations->made_current(1);
  return std::shared_ptr<CertManager>(new CertManager(std::move(*first), std::move(generations),
                                                      std::move(ticket_keys), std::move(options)));
}

Result<std::shared_ptr<CertManager>> CertManager::create(Certificate certificate) {
  return create(CertSet{.default_identity = std::move(certificate)});
}

Result<Receipt> CertManager::update(CertSet set) {
  const std::scoped_lock turn(updates_);
  return publish(set, *current_.load());
}

Result<Receipt> CertManager::update(Certificate certificate) {
  const std::scoped_lock turn(updates_);
  const std::shared_ptr<const Snapshot> previous = current_.load();
  CertSet set = previous->set();
  set.default_identity.certificates = {std::move(certificate)};
  return publish(set, *previous);
}

Result<Receipt> CertManager::publish(const CertSet& set, const Snapshot& previous) {
  Result<std::shared_ptr<const Snapshot>> next = check_and_build(
      set, previous.generation() + 1, &previous, generations_, ticket_keys_, now(options_));
  if (!next) return next.error();
  current_.store(*next);
  generations_->made_current((*next)->generation());
  return Receipt((*next)->generation(), std::chrono::system_clock::now(), generations_);
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
