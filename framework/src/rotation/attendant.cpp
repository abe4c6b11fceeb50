#include "rotation/attendant.hpp"

#include <utility>

namespace livetls {

Attendant::Attendant(std::function<TimePoint()> attend)
    : attend_(std::move(attend)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

void Attendant::look_again() {
  const std::scoped_lock lock(mutex_);
  look_now_ = true;
  wake_.notify_one();
}

void Attendant::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    look_now_ = false;
    lock.unlock();
    const TimePoint next = attend_();
    lock.lock();
    wake_.wait_until(lock, stop, next, [this] { return look_now_; });
  }
}

}  // namespace livetls
