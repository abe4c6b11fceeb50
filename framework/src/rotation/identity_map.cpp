#include "livetls/rotation/identity_map.hpp"

#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <functional>
#include <utility>

namespace livetls {
namespace {

/// Most names lie in the table itself.
using Name = boost::container::small_vector<char, 32>;

std::string_view text_of(std::string_view name) noexcept { return name; }
std::string_view text_of(const Name& name) noexcept { return {name.data(), name.size()}; }

struct Hash {
  using is_transparent = void;
  std::size_t operator()(const auto& name) const noexcept {
    return std::hash<std::string_view>{}(text_of(name));
  }
};

struct Equal {
  using is_transparent = void;
  bool operator()(const auto& a, const auto& b) const noexcept { return text_of(a) == text_of(b); }
};

}  // namespace

/// Flat, so that a name that nobody has asked for lately costs one miss of the caches and not five.
struct IdentityMap::Bucket : boost::unordered_flat_map<Name, Ptr, Hash, Equal> {};

/// The upper bits: the lower ones place a name within its bucket.
std::size_t IdentityMap::bucket_of(std::string_view name) noexcept {
  constexpr unsigned kShift = 8 * (sizeof(std::size_t) - 1);
  return Hash{}(name) >> kShift;
}

/// Nobody else can come to share a bucket that only this map has.
IdentityMap::Bucket& IdentityMap::writable(std::size_t bucket) {
  auto& shared = buckets_[bucket];
  if (!shared) {
    shared = std::make_shared<Bucket>();
  } else if (shared.use_count() > 1) {
    shared = std::make_shared<Bucket>(*shared);
  }
  return *shared;
}

const ReadyIdentity* IdentityMap::find(std::string_view name) const noexcept {
  const auto& bucket = buckets_[bucket_of(name)];
  if (!bucket) return nullptr;
  const auto found = bucket->find(name);
  return found == bucket->end() ? nullptr : found->second.get();
}

bool IdentityMap::insert(std::string_view name, Ptr identity) {
  const std::size_t kept = identity->kept_contexts();
  Bucket& bucket = writable(bucket_of(name));
  const bool is_new = bucket.emplace(Name(name.begin(), name.end()), std::move(identity)).second;
  if (!is_new) return false;
  ++size_;
  kept_contexts_ += kept;
  return true;
}

bool IdentityMap::erase(std::string_view name) {
  const ReadyIdentity* there = find(name);
  if (there == nullptr) return false;
  kept_contexts_ -= there->kept_contexts();
  --size_;
  Bucket& bucket = writable(bucket_of(name));
  bucket.erase(bucket.find(name));
  return true;
}

void IdentityMap::for_each(const std::function<void(const ReadyIdentity&)>& visit) const {
  for (const auto& bucket : buckets_) {
    if (!bucket) continue;
    for (const auto& [name, identity] : *bucket) visit(*identity);
  }
}

}  // namespace livetls
