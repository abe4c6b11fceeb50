#pragma once

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "livetls/tls/generation_counts.hpp"

namespace livetls {

/// How far out of use everything before a generation is. Each includes the ones before it.
enum class Milestone {
  visible,   ///< the generation is what new handshakes get
  quiesced,  ///< no handshake is in flight on an older one
  drained,   ///< no connection either
  erased,    ///< older snapshots are gone, with the private keys that only they held
};

/// Who still uses which generation, and who waits for that to end. Thread-safe; the handshakes
/// themselves only touch their own generation's counts.
class Generations : public std::enable_shared_from_this<Generations> {
 public:
  /// Longer than any program runs: no deadline.
  static constexpr std::chrono::steady_clock::duration kForever = std::chrono::years(100);

  struct Use {
    std::uint64_t generation;
    std::uint64_t handshakes;   ///< in flight
    std::uint64_t connections;  ///< established
    std::uint64_t completed;    ///< handshakes, since its publication
    std::uint64_t failed;       ///< likewise
  };

  /// Those whose snapshot is still in memory, the oldest first.
  std::vector<Use> uses() const;

  /// Completes, on the handler's executor, when the milestone is reached: void(error_code), with
  /// operation_aborted when it was cancelled and timed_out when that took longer than `within`.
  template <class Token>
  auto async_wait(Milestone milestone, std::uint64_t generation,
                  std::chrono::steady_clock::duration within, Token&& token) {
    return boost::asio::async_initiate<Token, Signature>(
        [self = shared_from_this(), milestone, generation, within](Handler handler) {
          self->wait(milestone, generation, within, std::move(handler));
        },
        token);
  }

  // For the CertManager and its snapshots
  void add(std::uint64_t generation, std::shared_ptr<GenerationCounts> counts);
  void made_current(std::uint64_t generation);
  void gone(std::uint64_t generation, const GenerationCounts& counts);
  void check_waiters();

 private:
  using Signature = void(boost::system::error_code);
  using Handler = boost::asio::any_completion_handler<Signature>;

  struct Waiter {
    Milestone milestone;
    std::uint64_t generation;
    Handler handler;
    std::shared_ptr<void> timer;
  };
  using WaiterId = std::uint64_t;

  void wait(Milestone milestone, std::uint64_t generation,
            std::chrono::steady_clock::duration within, Handler handler);
  void give_up(WaiterId id, boost::system::error_code reason);
  bool reached(Milestone milestone, std::uint64_t generation) const;
  static void complete(Waiter waiter, boost::system::error_code error);

  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::shared_ptr<GenerationCounts>> alive_;  // they outlive the snapshot
  std::uint64_t current_ = 0;
  std::map<WaiterId, Waiter> waiters_;
  WaiterId next_waiter_ = 0;
};

}  // namespace livetls
