#include "rotation/context_cache.hpp"

#include <boost/container_hash/hash.hpp>

namespace livetls {

ContextCache::Shard& ContextCache::shard_of(const Key& key) {
  return shards_[boost::hash<Key>{}(key) % kShards];
}

ContextCache::ContextPtr ContextCache::find(const Key& key) {
  Shard& shard = shard_of(key);
  const std::scoped_lock lock(shard.mutex);
  const auto& by_key = shard.entries.get<1>();
  const auto found = by_key.find(key);
  if (found == by_key.end()) return nullptr;
  shard.entries.relocate(shard.entries.begin(), shard.entries.project<0>(found));
  return found->context;
}

void ContextCache::put(const Key& key, ContextPtr context) {
  Entries evicted;  // destroyed after the lock is gone
  Shard& shard = shard_of(key);
  const std::scoped_lock lock(shard.mutex);
  shard.entries.push_front({key, std::move(context)});
  if (shard.entries.size() <= capacity_of_shard_) return;
  evicted.push_back(shard.entries.back());
  shard.entries.pop_back();
}

void ContextCache::forget(const void* identity, std::size_t certificates) {
  for (std::size_t i = 0; i < certificates; ++i) {
    const Key key(identity, i);
    Shard& shard = shard_of(key);
    const std::scoped_lock lock(shard.mutex);
    shard.entries.get<1>().erase(key);
  }
}

std::size_t ContextCache::size() const {
  std::size_t sum = 0;
  for (const Shard& shard : shards_) {
    const std::scoped_lock lock(shard.mutex);
    sum += shard.entries.size();
  }
  return sum;
}

}  // namespace livetls
