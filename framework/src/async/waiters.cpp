#include "livetls/async/waiters.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/require.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>
#include <vector>

namespace livetls {

namespace asio = boost::asio;
using boost::system::error_code;

void Waiters::check() {
  std::vector<Waiter> ready;
  {
    const std::scoped_lock lock(mutex_);
    for (auto entry = waiters_.begin(); entry != waiters_.end();) {
      if (entry->second.condition()) {
        ready.push_back(std::move(entry->second));
        entry = waiters_.erase(entry);
      } else {
        ++entry;
      }
    }
  }
  for (Waiter& waiter : ready) complete(std::move(waiter), {});
}

void Waiters::wait(Condition condition, std::chrono::steady_clock::duration within,
                   asio::any_io_executor executor, Handler handler) {
  const std::weak_ptr<Waiters> self = weak_from_this();
  const auto slot = asio::get_associated_cancellation_slot(handler);
  const WaiterId id = next_waiter_++;
  // Before anybody else can complete the handler, and its slot be gone.
  if (slot.is_connected()) {
    asio::cancellation_slot(slot).assign([self, id](asio::cancellation_type) {
      if (const auto alive = self.lock()) alive->give_up(id, asio::error::operation_aborted);
    });
  }
  Waiter waiter{std::move(condition), std::move(executor), std::move(handler), {}};
  {
    const std::scoped_lock lock(mutex_);
    if (!waiter.condition()) {
      if (within < kForever) {
        const auto timer = std::make_shared<asio::steady_timer>(waiter.executor, within);
        timer->async_wait([self, id](error_code error) {
          const auto alive = self.lock();
          if (alive && !error) alive->give_up(id, asio::error::timed_out);
        });
        waiter.timer = timer;  // cancelled when it goes; who waits keeps its executor until then
      }
      waiters_.emplace(id, std::move(waiter));
      return;
    }
  }
  complete(std::move(waiter), {});
}

void Waiters::give_up(WaiterId id, error_code reason) {
  std::unique_lock lock(mutex_);
  const auto entry = waiters_.find(id);
  if (entry == waiters_.end()) return;  // it has completed
  Waiter waiter = std::move(entry->second);
  waiters_.erase(entry);
  lock.unlock();
  complete(std::move(waiter), reason);
}

/// Posted, since who waits may do anything to whoever has brought it about.
void Waiters::complete(Waiter waiter, error_code error) {
  waiter.timer.reset();
  auto call = [handler = std::move(waiter.handler), error]() mutable { std::move(handler)(error); };
  asio::require(waiter.executor, asio::execution::blocking.never).execute(std::move(call));
}

}  // namespace livetls
