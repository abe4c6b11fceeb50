#pragma once

#include <atomic>
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

namespace livetls {

/// Those who wait for something that other threads bring about. Thread-safe.
class Waiters : public std::enable_shared_from_this<Waiters> {
 public:
  /// Longer than any program runs: no deadline.
  static constexpr std::chrono::steady_clock::duration kForever = std::chrono::years(100);

  using Condition = std::function<bool()>;

  /// Completes, on the handler's executor and never from within, when the condition holds:
  /// void(error_code), with operation_aborted when it was cancelled and timed_out when that took
  /// longer than `within`.
  template <class Token>
  auto async_wait(Condition condition, std::chrono::steady_clock::duration within, Token&& token) {
    return boost::asio::async_initiate<Token, Signature>(
        [self = shared_from_this(), condition = std::move(condition),
         within](auto handler) mutable {
          const boost::asio::any_io_executor executor =
              boost::asio::get_associated_executor(handler, boost::asio::system_executor());
          self->wait(std::move(condition), within, executor, Handler(std::move(handler)));
        },
        token);
  }

  /// To be called when a condition may have come to hold.
  void check();

 private:
  using Signature = void(boost::system::error_code);
  using Handler = boost::asio::any_completion_handler<Signature>;

  struct Waiter {
    Condition condition;
    boost::asio::any_io_executor executor;
    Handler handler;
    std::shared_ptr<void> timer;
  };
  using WaiterId = std::uint64_t;

  void wait(Condition condition, std::chrono::steady_clock::duration within,
            boost::asio::any_io_executor executor, Handler handler);
  void give_up(WaiterId id, boost::system::error_code reason);
  static void complete(Waiter waiter, boost::system::error_code error);

  std::mutex mutex_;
  std::map<WaiterId, Waiter> waiters_;
  std::atomic<WaiterId> next_waiter_ = 0;
};

}  // namespace livetls
