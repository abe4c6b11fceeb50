#pragma once

#include <functional>
#include <span>

#include "livetls/async/task.hpp"
#include "livetls/web/request.hpp"
#include "livetls/web/response.hpp"

namespace livetls::web {

class Handler;
class Next;

/// What requests pass on their way to a handler, and responses on their way back:
///
///     router.use([](Request& request, Next next) -> Task<Response> {
///       Response response = co_await next(request);
///       response.headers.set("Server", "mine");
///       co_return response;
///     });
///
/// It may answer by itself, without `next`. It is called on every server thread, at the same time,
/// and lives as long as the router, with what it captured.
using Middleware = std::function<Task<Response>(Request&, Next)>;

/// The rest of the way.
class Next {
 public:
  /// What a handler or later middleware throws arrives as the response it was mapped to. Call it
  /// once at most.
  Task<Response> operator()(Request& request) const;

 private:
  friend class Router;
  struct End;

  Next(std::span<const Middleware> rest, const End& end) : rest_(rest), end_(&end) {}

  static Task<Response> call_first(Next next, Request& request);

  std::span<const Middleware> rest_;
  const End* end_;
};

}  // namespace livetls::web
