#pragma once

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <type_traits>

#include "livetls/async/task.hpp"

namespace notes {

/// Runs what blocks, such as a database, on a thread of its own: it must not block a server thread.
class Blocking {
 public:
  /// Waits until `function` has returned, also where the caller is cancelled (by web::timeout, by a
  /// stop): a cancellation that crosses threads would reach a coroutine that may have ended.
  template <class F>
  livetls::Task<std::invoke_result_t<F>> run(F function) {
    using Value = std::invoke_result_t<F>;
    using PoolTask = boost::asio::awaitable<Value, boost::asio::thread_pool::executor_type>;
    auto call = [&]() -> PoolTask { co_return function(); };
    co_return co_await boost::asio::co_spawn(
        pool_.get_executor(), std::move(call),
        boost::asio::bind_cancellation_slot(boost::asio::cancellation_slot(), livetls::use_task));
  }

 private:
  boost::asio::thread_pool pool_{1};
};

}  // namespace notes
