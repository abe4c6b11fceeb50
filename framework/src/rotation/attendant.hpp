#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace livetls {

/// A thread that looks after what happens by itself, when it is due.
class Attendant {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// `attend` does what is due, and answers when to look again.
  explicit Attendant(std::function<TimePoint()> attend);

  /// Something may be due earlier than was thought. Any thread.
  void look_again();

 private:
  void run(const std::stop_token& stop);

  std::function<TimePoint()> attend_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool look_now_ = true;
  std::jthread thread_;
};

}  // namespace livetls
