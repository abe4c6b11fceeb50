#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace livetls {

/// Every server thread runs one io_context of its own; what belongs to a connection stays on it.
using Executor = boost::asio::io_context::executor_type;

/// A coroutine on a server thread.
template <class T = void>
using Task = boost::asio::awaitable<T, Executor>;

/// The completion token for asynchronous operations of Asio in a Task:
/// `co_await timer.async_wait(use_task)`.
inline constexpr boost::asio::use_awaitable_t<Executor> use_task;

}  // namespace livetls
