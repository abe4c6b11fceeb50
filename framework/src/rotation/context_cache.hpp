#pragma once

#include <array>
#include <boost/multi_index/hashed_index.hpp>
#include <boost/multi_index/key.hpp>
#include <boost/multi_index/sequenced_index.hpp>
#include <boost/multi_index_container.hpp>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

#include "livetls/tls/server_context.hpp"

namespace livetls {

/// Contexts of rarely asked names, those asked for longest ago leaving first. Thread-safe; what two
/// threads ask for at once may be built twice, and nobody waits for a build.
class ContextCache {
 public:
  using ContextPtr = std::shared_ptr<const ServerContext>;

  /// Whose context: the identity, and which of its certificates.
  using Key = std::pair<const void*, std::size_t>;

  explicit ContextCache(std::size_t capacity)
      : capacity_of_shard_((capacity + kShards - 1) / kShards) {}

  /// nullptr where it is not there.
  ContextPtr find(const Key& key);
  void put(const Key& key, ContextPtr context);

  /// Drops all contexts of an identity that is about to go, and with them its keys.
  void forget(const void* identity, std::size_t certificates);

  std::size_t size() const;

 private:
  static constexpr std::size_t kShards = 16;

  struct Entry {
    Key key;
    ContextPtr context;
  };
  using Entries = boost::multi_index_container<
      Entry, boost::multi_index::indexed_by<
                 boost::multi_index::sequenced<>,
                 boost::multi_index::hashed_unique<boost::multi_index::key<&Entry::key>>>>;

  struct Shard {
    mutable std::mutex mutex;
    Entries entries;  // the latest first
  };

  Shard& shard_of(const Key& key);

  std::size_t capacity_of_shard_;
  std::array<Shard, kShards> shards_;
};

}  // namespace livetls
