#pragma once

#include <boost/asio/basic_waitable_timer.hpp>
#include <chrono>

#include "livetls/async/task.hpp"

namespace livetls {

/// Of a server thread: `Timer timer(executor, 5s); co_await timer.async_wait(use_task)`.
using Timer = boost::asio::basic_waitable_timer<
    std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

}  // namespace livetls
