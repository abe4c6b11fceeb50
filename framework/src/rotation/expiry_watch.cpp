#include "rotation/expiry_watch.hpp"

#include <algorithm>

#include "rotation/date.hpp"

namespace livetls {
namespace {

std::string time_left(std::chrono::seconds left) {
  if (left < std::chrono::seconds(0)) return "has expired";
  const auto hours = std::chrono::floor<std::chrono::hours>(left).count();
  return hours < 48 ? "expires in " + std::to_string(hours) + " hours"
                    : "expires in " + std::to_string(hours / 24) + " days";
}

}  // namespace

std::size_t ExpiryWatch::thresholds_passed(std::chrono::seconds left) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(thresholds_, [left](auto threshold) { return left <= threshold; }));
}

std::vector<std::string> ExpiryWatch::look(const Snapshot& snapshot, std::chrono::sys_seconds now) {
  std::vector<std::string> lines;
  std::map<Fingerprint, std::size_t> passed;
  snapshot.for_each([&](const ReadyIdentity& identity) {
    for (const Certificate& certificate : identity.identity().certificates) {
      const CertificateInfo& leaf = certificate.leaf();
      const std::chrono::seconds left = leaf.not_after - now;
      const std::size_t count = thresholds_passed(left);
      if (count == 0 || !passed.emplace(leaf.fingerprint, count).second) continue;
      const auto before = reported_.find(leaf.fingerprint);
      if (before != reported_.end() && before->second >= count) continue;
      lines.push_back(identity.name() + ": " + leaf.subject + " (" +
                      std::string(to_string(leaf.key_type)) + ") " + time_left(left));
    }
  });
  reported_ = std::move(passed);
  return lines;
}

std::vector<std::string> ExpiryWatch::look_at_staples(const Snapshot& snapshot,
                                                      std::chrono::sys_seconds now) {
  std::vector<std::string> lines;
  std::set<Fingerprint> stale;
  snapshot.for_each([&](const ReadyIdentity& identity) {
    for (const Certificate& certificate : identity.identity().certificates) {
      const auto& staple = certificate.staple();
      if (!staple || now <= staple->next_update()) continue;
      const CertificateInfo& leaf = certificate.leaf();
      if (!stale.insert(leaf.fingerprint).second || stale_.contains(leaf.fingerprint)) continue;
      lines.push_back(identity.name() + ": " + leaf.subject + " since " +
                      date_and_time(staple->next_update()));
    }
  });
  stale_ = std::move(stale);
  return lines;
}

}  // namespace livetls
