#include "rotation/check_validity.hpp"

namespace livetls {

namespace {

Result<void> check_validity(const std::string& name, const CertificateInfo& leaf,
                            std::chrono::sys_seconds time) {
  if (time > leaf.not_after) return Error{Errc::certificate_expired, name + ": " + leaf.subject};
  if (time < leaf.not_before) {
    return Error{Errc::certificate_not_yet_valid, name + ": " + leaf.subject};
  }
  return {};
}

}  // namespace

Result<void> check_validity(const std::string& name, const Identity& identity,
                            std::chrono::sys_seconds time) {
  for (const Certificate& certificate : identity.certificates) {
    if (auto valid = check_validity(name, certificate.leaf(), time); !valid) return valid;
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

Result<void> check_changes(const Snapshot& current, const Snapshot& next,
                           const std::set<std::string>& judged, std::chrono::sys_seconds time) {
  Result<void> valid;
  next.for_each([&](const ReadyIdentity& identity) {
    if (!valid || judged.contains(identity.name())) return;
    const ReadyIdentity* before = current.at(identity.name());
    for (const Certificate& certificate : identity.identity().certificates) {
      if (!valid || (before != nullptr && before->identity().has(certificate))) continue;
      valid = check_validity(identity.name(), certificate.leaf(), time);
    }
  });
  return valid;
}

}  // namespace livetls
