#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "livetls/rotation/ready_identity.hpp"

namespace livetls {

/// Identities by a key for their names. A copy shares all of them, and a change of
/// one name then copies one bucket of 256: what an update costs is what it changes, at 100,000
/// names as well.
///
/// Thread safety: as for standard containers; maps that share may be used by different threads.
class IdentityMap {
 public:
  using Ptr = std::shared_ptr<const ReadyIdentity>;

  /// nullptr where the name is not there.
  const ReadyIdentity* find(std::string_view name) const noexcept;

  /// False where the name is there already.
  bool insert(std::string_view name, Ptr identity);
  bool erase(std::string_view name);

  std::size_t size() const noexcept { return size_; }
  std::size_t kept_contexts() const noexcept { return kept_contexts_; }

  /// In no particular order.
  void for_each(const std::function<void(const ReadyIdentity&)>& visit) const;

 private:
  struct Bucket;

  static std::size_t bucket_of(std::string_view name) noexcept;
  Bucket& writable(std::size_t bucket);

  std::array<std::shared_ptr<Bucket>, 256> buckets_;
  std::size_t size_ = 0;
  std::size_t kept_contexts_ = 0;
};

}  // namespace livetls
