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
                                                        std::chrono::sys_seconds time) {
  if (Result<void> valid = check_validity("default", set.default_identity, time);
      !valid) {
    return valid.error();
  }
  for (const auto& [name, identity] : set.identities) {
    if (Result<void> valid = check_validity(name, identity, time); !valid) {
      return valid.error();
    }
  }
  return Snapshot::build(set, generation, previous);
}

}  // namespace

CertManager::CertManager(std::shared_ptr<const Snapshot> first, Options options)
    : options_(std::move(options)), current_(std::move(first)) {}

Result<std::shared_ptr<CertManager>> CertManager::create(CertSet set, Options options) {
  Result<std::shared_ptr<const Snapshot>> first = check_and_build(set, 1, nullptr, now(options));
  if (!first) return first.error();
  return std::shared_ptr<CertManager>(new CertManager(std::move(*first), std::move(options)));
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
  Result<std::shared_ptr<const Snapshot>> next =
      check_and_build(set, previous.generation() + 1, &previous, now(options_));
  if (!next) return next.error();
  current_.store(*next);
  return Receipt{(*next)->generation(), std::chrono::system_clock::now()};
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
  const std::shared_ptr<const Snapshot> snapshot = current_.load();
  Snapshot::Found found = snapshot->find_default();
  if (!hello.server_name.empty()) {
    const Result<ServerName> name = ServerName::parse(hello.server_name);
    if (!name) return Error{Errc::malformed_client_hello, name.error().context};
    found = snapshot->find(*name);
  }
  for (const auto& context : *found.contexts) {
    if (!context->usable_by(hello)) continue;
    return Served{std::shared_ptr<const ServerContext>(snapshot, context.get()),
                  snapshot->generation(), found.match};
  }
  return Error{Errc::no_common_parameters, "no certificate that the client can take"};
}

}  // namespace livetls
