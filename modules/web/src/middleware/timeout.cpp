#include "livetls/web/middleware/timeout.hpp"

#include <boost/asio/this_coro.hpp>
#include <optional>
#include <utility>

#include "livetls/async/race.hpp"
#include "livetls/async/timer.hpp"
#include "livetls/web/response.hpp"

namespace livetls::web {
namespace {

using Clock = std::chrono::steady_clock;

Task<void> answer(Next next, Request& request, std::optional<Response>& response) {
  response = co_await next(request);
}

Task<void> wait(Clock::duration limit, Request& request) {
  Timer timer(co_await boost::asio::this_coro::executor, limit);
  co_await timer.async_wait(use_task);
  request.abandon();
}

}  // namespace

Middleware timeout(Clock::duration limit) {
  return [limit](Request& request, Next next) -> Task<Response> {
    std::optional<Response> response;
    Task<void> answered = answer(next, request, response);
    Task<void> late = wait(limit, request);
    const std::size_t first = co_await first_of(std::move(answered), std::move(late));
    if (first == 0) co_return *std::move(response);
    Response refusal = Response::problem(503, "this takes too long");
    refusal.headers.set("Connection", "close");  // of its body, anything may be unread
    co_return refusal;
  };
}

}  // namespace livetls::web
