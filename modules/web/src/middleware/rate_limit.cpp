#include "livetls/web/middleware/rate_limit.hpp"

#include <algorithm>
#include <cmath>
#include <list>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "livetls/net/connection.hpp"
#include "livetls/web/response.hpp"

namespace livetls::web {
namespace {

using Clock = std::chrono::steady_clock;

/// The keys that were seen last come first.
class Buckets {
 public:
  explicit Buckets(const RateLimitOptions& options)
      : per_second_(options.per_second), burst_(options.burst), max_keys_(options.max_keys) {}

  /// Takes a token; answers how long it takes until there is one, zero where there was.
  Clock::duration take(const std::string& key, Clock::time_point now) {
    const std::scoped_lock lock(mutex_);
    Bucket& bucket = find(key, now);
    const std::chrono::duration<double> rest = now - bucket.filled;
    bucket.tokens = std::min(burst_, bucket.tokens + per_second_ * std::max(rest.count(), 0.0));
    bucket.filled = now;
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return {};
    }
    const std::chrono::duration<double> wait((1 - bucket.tokens) / per_second_);
    return std::chrono::ceil<Clock::duration>(wait);
  }

 private:
  struct Bucket {
    std::string key;
    double tokens;
    Clock::time_point filled;
  };

  Bucket& find(const std::string& key, Clock::time_point now) {
    if (const auto found = by_key_.find(key); found != by_key_.end()) {
      buckets_.splice(buckets_.begin(), buckets_, found->second);
      return buckets_.front();
    }
    if (buckets_.size() == max_keys_) {
      by_key_.erase(buckets_.back().key);
      buckets_.pop_back();
    }
    buckets_.push_front({key, burst_, now});
    by_key_.emplace(buckets_.front().key, buckets_.begin());
    return buckets_.front();
  }

  const double per_second_;
  const double burst_;
  const std::size_t max_keys_;
  std::mutex mutex_;
  std::list<Bucket> buckets_;
  std::unordered_map<std::string_view, std::list<Bucket>::iterator> by_key_;
};

/// A household has 2^64 addresses of IPv6.
std::string address_of(const Request& request) {
  if (!request.has_connection()) return {};
  const auto address = request.connection().remote_endpoint().address();
  if (!address.is_v6() || address.to_v6().is_v4_mapped()) return address.to_string();
  const auto bytes = address.to_v6().to_bytes();
  return {bytes.begin(), bytes.begin() + 8};
}

}  // namespace

Middleware rate_limit(RateLimitOptions options) {
  if (options.per_second <= 0 || options.burst < 1 || options.max_keys == 0) {
    throw std::invalid_argument("rate_limit: per_second and max_keys above zero, burst from 1");
  }
  if (!options.key) options.key = address_of;
  if (!options.now) options.now = Clock::now;
  const auto buckets = std::make_shared<Buckets>(options);
  return [options = std::move(options), buckets](Request& request, Next next) -> Task<Response> {
    const Clock::duration wait = buckets->take(options.key(request), options.now());
    if (wait <= Clock::duration::zero()) co_return co_await next(request);
    Response response = Response::problem(429);
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
    response.headers.set("Retry-After", std::to_string(seconds));
    co_return response;
  };
}

}  // namespace livetls::web
