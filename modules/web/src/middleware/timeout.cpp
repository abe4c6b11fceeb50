#include "livetls/web/middleware/timeout.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <utility>
#include <variant>

#include "livetls/web/response.hpp"

namespace livetls::web {
namespace {

using Clock = std::chrono::steady_clock;
using Timer = boost::asio::basic_waitable_timer<Clock, boost::asio::wait_traits<Clock>, Executor>;

using Outcome = std::variant<Response, std::exception_ptr>;

/// Of two, the first that fails would not end the other.
Task<Outcome> outcome_of(Next next, Request& request) {
  try {
    Response response = co_await next(request);
    co_return Outcome(std::move(response));
  } catch (...) {
    co_return Outcome(std::current_exception());
  }
}

Task<void> wait(Clock::duration limit, Request& request) {
  Timer timer(co_await boost::asio::this_coro::executor, limit);
  co_await timer.async_wait(use_task);
  request.abandon();
}

}  // namespace

Middleware timeout(Clock::duration limit) {
  return [limit](Request& request, Next next) -> Task<Response> {
    using namespace boost::asio::experimental::awaitable_operators;
    Task<Outcome> outcome = outcome_of(next, request);
    Task<void> late = wait(limit, request);
    auto any = std::move(outcome) || std::move(late);
    auto first = co_await std::move(any);
    // The operator joins the outcome's alternatives and its own.
    if (first.index() == 0) co_return std::get<0>(std::move(first));
    if (first.index() == 1) std::rethrow_exception(std::get<1>(first));
    Response response = Response::problem(503, "this takes too long");
    response.headers.set("Connection", "close");  // of its body, anything may be unread
    co_return response;
  };
}

}  // namespace livetls::web
