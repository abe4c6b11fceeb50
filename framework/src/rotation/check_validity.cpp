#include "rotation/check_validity.hpp"

namespace livetls {

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

Result<void> check_validity(const Snapshot& snapshot, std::chrono::sys_seconds time) {
  Result<void> valid;
  snapshot.for_each([&](const ReadyIdentity& identity) {
    if (valid) valid = check_validity(identity.name(), identity.identity(), time);
  });
  return valid;
}

}  // namespace livetls
