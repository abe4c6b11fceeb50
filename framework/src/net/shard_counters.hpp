#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "livetls/net/listener.hpp"
#include "livetls/tls/handshake_counts.hpp"

namespace livetls {

/// Whether a handshake failed for the client's certificate, or for lack of one.
constexpr bool is_client_certificate(HandshakeFailure why) {
  return why == HandshakeFailure::client_certificate ||
         why == HandshakeFailure::client_certificate_missing ||
         why == HandshakeFailure::client_certificate_expired ||
         why == HandshakeFailure::client_certificate_purpose;
}

/// Written by one thread, read by any.
class Counter {
 public:
  void add(std::int64_t count = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + static_cast<std::uint64_t>(count),
                 std::memory_order_relaxed);
  }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

/// Of one thread of a listener.
struct ShardCounters {
  Counter accepted, accept_errors, over_limit, no_proxy, evicted, handshakes;
  Counter open;  // of now
  std::array<Counter, kHandshakeFailures> failures;

  Counter& failure(HandshakeFailure why) { return failures[static_cast<std::size_t>(why)]; }

  void add_to(ListenerCounters& sum) const {
    sum.accepted += accepted.value();
    sum.accept_errors += accept_errors.value();
    sum.over_limit += over_limit.value();
    sum.no_proxy += no_proxy.value();
    sum.evicted += evicted.value();
    sum.open_connections += open.value();
    sum.handshakes += handshakes.value();
    const auto failed = [this](HandshakeFailure why) {
      return failures[static_cast<std::size_t>(why)].value();
    };
    sum.not_tls += failed(HandshakeFailure::not_tls);
    sum.plain_http += failed(HandshakeFailure::plain_http);
    sum.malformed += failed(HandshakeFailure::malformed);
    sum.unrecognized_name += failed(HandshakeFailure::unrecognized_name);
    sum.no_common_parameters += failed(HandshakeFailure::no_common_parameters);
    sum.refused_by_peer += failed(HandshakeFailure::refused_by_peer);
    for (std::size_t why = 0; why < failures.size(); ++why) {
      if (!is_client_certificate(static_cast<HandshakeFailure>(why))) continue;
      sum.client_certificate += failures[why].value();
    }
    sum.timed_out += failed(HandshakeFailure::timed_out);
    sum.disconnected += failed(HandshakeFailure::disconnected);
    sum.other_failures += failed(HandshakeFailure::other);
  }
};

}  // namespace livetls
