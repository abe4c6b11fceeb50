#include "livetls/rotation/generations.hpp"

#include <algorithm>
#include <boost/asio/any_completion_executor.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/system_executor.hpp>
#include <utility>

namespace livetls {

namespace asio = boost::asio;
using boost::system::error_code;

std::vector<Generations::Use> Generations::uses() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Use> uses;
  for (const auto& [generation, counts] : alive_) {
    uses.push_back({generation, static_cast<std::uint64_t>(counts->handshakes()),
                    static_cast<std::uint64_t>(counts->connections()), counts->completed(),
                    counts->failed()});
  }
  return uses;
}

void Generations::add(std::uint64_t generation, std::shared_ptr<GenerationCounts> counts) {
  const std::scoped_lock lock(mutex_);
  alive_.emplace(generation, std::move(counts));
}

void Generations::made_current(std::uint64_t generation) {
  {
    const std::scoped_lock lock(mutex_);
    current_ = generation;
    for (const auto& [older, counts] : alive_) {
      if (older < generation) counts->retire();
    }
  }
  check_waiters();
}

/// Of several snapshots that were built for a generation, one was published at most.
void Generations::gone(std::uint64_t generation, const GenerationCounts& counts) {
  {
    const std::scoped_lock lock(mutex_);
    const auto entry = alive_.find(generation);
    if (entry == alive_.end() || entry->second.get() != &counts) return;
    alive_.erase(entry);
  }
  check_waiters();
}

bool Generations::reached(Milestone milestone, std::uint64_t generation) const {
  if (current_ < generation) return false;
  const auto end = alive_.lower_bound(generation);
  return std::all_of(alive_.begin(), end, [milestone](const auto& older) {
    const GenerationCounts& counts = *older.second;
    switch (milestone) {
      case Milestone::visible: return true;
      case Milestone::quiesced: return counts.handshakes() == 0;
      case Milestone::drained: return counts.handshakes() == 0 && counts.connections() == 0;
      case Milestone::erased: return false;
    }
    return false;
  });
}

void Generations::check_waiters() {
  std::vector<Waiter> ready;
  {
    const std::scoped_lock lock(mutex_);
    for (auto entry = waiters_.begin(); entry != waiters_.end();) {
      if (reached(entry->second.milestone, entry->second.generation)) {
        ready.push_back(std::move(entry->second));
        entry = waiters_.erase(entry);
      } else {
        ++entry;
      }
    }
  }
  for (Waiter& waiter : ready) complete(std::move(waiter), {});
}

void Generations::wait(Milestone milestone, std::uint64_t generation,
                       std::chrono::steady_clock::duration within, Handler handler) {
  using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                           asio::wait_traits<std::chrono::steady_clock>,
                                           asio::any_io_executor>;
  const std::weak_ptr<Generations> self = weak_from_this();
  const auto slot = asio::get_associated_cancellation_slot(handler);
  WaiterId id = 0;
  {
    const std::scoped_lock lock(mutex_);
    id = next_waiter_++;
    std::shared_ptr<void> limit;
    if (within < kForever) {
      auto timer = std::make_shared<Timer>(asio::system_executor(), within);
      timer->async_wait([self, id, timer](error_code error) {
        if (const auto alive = self.lock(); alive && !error) {
          alive->give_up(id, asio::error::timed_out);
        }
      });
      limit = std::shared_ptr<void>(nullptr, [timer](void*) { timer->cancel(); });
    }
    // Constructed in place: Boost 1.81's any_completion_handler recurses for ever when assigned.
    waiters_.emplace(id, Waiter{milestone, generation, std::move(handler), std::move(limit)});
  }
  if (slot.is_connected()) {
    asio::cancellation_slot(slot).assign([self, id](asio::cancellation_type) {
      if (const auto alive = self.lock()) alive->give_up(id, asio::error::operation_aborted);
    });
  }
  check_waiters();
}

void Generations::give_up(WaiterId id, error_code reason) {
  std::unique_lock lock(mutex_);
  const auto entry = waiters_.find(id);
  if (entry == waiters_.end()) return;  // it has completed
  Waiter waiter = std::move(entry->second);
  waiters_.erase(entry);
  lock.unlock();
  complete(std::move(waiter), reason);
}

/// Never from within the function that starts the wait, and on the executor of who waits.
void Generations::complete(Waiter waiter, error_code error) {
  waiter.timer.reset();
  const auto executor = asio::get_associated_executor(
      waiter.handler, asio::any_completion_executor(asio::system_executor()));
  auto call = [handler = std::move(waiter.handler), error]() mutable { std::move(handler)(error); };
  asio::prefer(executor, asio::execution::blocking.never).execute(std::move(call));
}

}  // namespace livetls
