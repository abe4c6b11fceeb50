#pragma once

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>
#include <variant>

#include "livetls/base/task.hpp"
#include "livetls/web/request.hpp"
#include "livetls/web/response.hpp"

namespace livetls::web {

/// What answers a request: any callable `Task<Response>(Request&)`, a coroutine that may wait, or
/// `Response(Request&)`, which must not block.
///
/// It is called on every server thread, at the same time. The callable lives as long as the router,
/// and so as long as the server: a coroutine lambda may use what it captured. What it throws is
/// logged, and the client gets a 500.
class Handler {
 public:
  using Function = std::function<Response(Request&)>;
  using Coroutine = std::function<Task<Response>(Request&)>;

  template <class F>
  requires std::same_as<std::invoke_result_t<F&, Request&>, Response> Handler(F function)
      : callable_(Function(std::move(function))) {}

  template <class F>
  requires std::same_as<std::invoke_result_t<F&, Request&>, Task<Response>> Handler(F coroutine)
      : callable_(Coroutine(std::move(coroutine))) {}

  /// Throws what the callable throws.
  Task<Response> operator()(Request& request) const;

 private:
  std::variant<Function, Coroutine> callable_;
};

}  // namespace livetls::web
