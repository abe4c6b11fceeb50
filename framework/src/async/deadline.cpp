// One timer wait is outstanding at most. When it fires before the limit, because the limit has
// moved, it is armed anew; only a limit that moves nearer than the wait touches the timer. The
// first wait is short, so that in a short connection none does.

#include "livetls/async/deadline.hpp"

#include <algorithm>
#include <utility>

#include "livetls/async/timer.hpp"

namespace livetls {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kFirstWait{1};

struct Deadline::State {
  State(Executor executor, std::function<void()> callback)
      : timer(executor), on_expiry(std::move(callback)) {}

  Timer timer;
  std::function<void()> on_expiry;
  Clock::time_point limit = Clock::time_point::max();
  Clock::time_point armed_for = Clock::time_point::max();
  bool has_waited = false;
  bool expired = false;
};

Deadline::Deadline(Executor executor, std::function<void()> on_expiry)
    : state_(std::make_shared<State>(executor, std::move(on_expiry))) {}

Deadline::~Deadline() {
  clear();
  state_->on_expiry = nullptr;
  state_->timer.cancel();
}

void Deadline::expires_after(Clock::duration duration) {
  const auto now = Clock::now();
  state_->expired = false;
  const bool endless = duration >= Clock::time_point::max() - now;
  if (duration <= Clock::duration::zero() || endless) return clear();
  state_->limit = now + duration;
  if (state_->limit >= state_->armed_for) return;
  arm(state_, state_->has_waited ? state_->limit : std::min(state_->limit, now + kFirstWait));
}

void Deadline::clear() noexcept { state_->limit = Clock::time_point::max(); }

bool Deadline::expired() const noexcept { return state_->expired; }

void Deadline::arm(const std::shared_ptr<State>& state, Clock::time_point at) {
  state->armed_for = at;
  state->timer.expires_at(at);
  state->timer.async_wait([state](boost::system::error_code error) {
    if (error) return;  // armed anew, or the deadline is gone
    state->armed_for = Clock::time_point::max();
    state->has_waited = true;
    if (state->limit == Clock::time_point::max() || !state->on_expiry) return;
    if (state->limit > Clock::now()) return arm(state, state->limit);
    state->limit = Clock::time_point::max();
    state->expired = true;
    state->on_expiry();
  });
}

}  // namespace livetls
