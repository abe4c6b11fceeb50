#pragma once

#include <concepts>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "livetls/async/task.hpp"
#include "livetls/web/arguments.hpp"
#include "livetls/web/request.hpp"
#include "livetls/web/response.hpp"
#include "livetls/web/to_response.hpp"

namespace livetls::web {
namespace detail {

/// The parameters and the result of what can be called in one way only.
template <class F>
struct Signature : Signature<decltype(&F::operator())> {};
template <class R, class... Args>
struct Signature<R (*)(Args...)> {
  using Result = R;
  using Parameters = std::tuple<Args...>;
};
template <class F, class R, class... Args>
struct Signature<R (F::*)(Args...)> : Signature<R (*)(Args...)> {};
template <class F, class R, class... Args>
struct Signature<R (F::*)(Args...) const> : Signature<R (*)(Args...)> {};

/// What is called with nothing but the request, such as a generic lambda, need not tell.
template <class F>
requires std::invocable<F&, Request&>
struct Signature<F> {
  using Result = std::invoke_result_t<F&, Request&>;
  using Parameters = std::tuple<Request&>;
};

template <class T>
struct Awaited : std::false_type {
  using Value = T;
};
template <class T>
struct Awaited<Task<T>> : std::true_type {
  using Value = T;
};

template <class Parameter>
decltype(auto) argument_from(Request& request) {
  if constexpr (std::same_as<Parameter, Request&> || std::same_as<Parameter, const Request&>) {
    return static_cast<Parameter>(request);
  } else {
    using Argument = std::remove_cvref_t<Parameter>;
    static_assert(FromRequest<Argument>,
                  "a handler takes a Request&, Path, Query, Header, Json or another type with "
                  "`static T from_request(Request&)`");
    return Argument::from_request(request);
  }
}

/// The arguments are made in their order: the first that cannot be is the one that is complained
/// of.
template <class... Parameters, class F>
decltype(auto) call(F& callable, Request& request) {
  std::tuple<Parameters...> arguments{argument_from<Parameters>(request)...};
  return std::apply(callable, std::move(arguments));
}

}  // namespace detail

/// What answers a request: anything that can be called with a Request&, or with arguments made of
/// it (arguments.hpp, json.hpp), and returns a Response or what can become one (to_response.hpp).
/// It returns that in a Task where it is a coroutine, which may wait; what is none must not block.
///
/// It is called on every server thread, at the same time. The callable lives as long as the router,
/// and so as long as the server: a coroutine lambda may use what it captured, and takes its
/// arguments by value.
class Handler {
 public:
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, Handler>) Handler(F callable) {
    using Signature = detail::Signature<F>;
    using Awaited = detail::Awaited<typename Signature::Result>;
    constexpr typename Signature::Parameters* kParameters = nullptr;
    static_assert(Responds<typename Awaited::Value>,
                  "a handler returns a Response, text, a Status, JSON (#include "
                  "\"livetls/web/json.hpp\"), or a Result of these; in a Task where it waits");
    if constexpr (Awaited::value) {
      callable_ = coroutine(std::move(callable), kParameters);
    } else {
      callable_ = function(std::move(callable), kParameters);
    }
  }

  /// Called before the body has been received, which the callable does: Request::read_body.
  static Handler streaming(Handler handler) {
    handler.streams_ = true;
    return handler;
  }
  bool streams() const noexcept { return streams_; }

  /// Whether the callable is a coroutine: then `answer_later` is for it, else `answer`. Both throw
  /// what the callable throws, and what its arguments do.
  bool waits() const noexcept { return std::holds_alternative<Coroutine>(callable_); }
  Response answer(Request& request) const { return std::get<Function>(callable_)(request); }
  Task<Response> answer_later(Request& request) const {
    return std::get<Coroutine>(callable_)(request);
  }

 private:
  using Function = std::function<Response(Request&)>;
  using Coroutine = std::function<Task<Response>(Request&)>;

  template <class F, class... Parameters>
  static Function function(F callable, std::tuple<Parameters...>*) {
    return [callable = std::move(callable)](Request& request) mutable {
      using Value = std::invoke_result_t<F&, Parameters...>;
      return ToResponse<Value>::convert(detail::call<Parameters...>(callable, request));
    };
  }

  template <class F, class... Parameters>
  static Coroutine coroutine(F callable, std::tuple<Parameters...>*) {
    static_assert(((!std::is_reference_v<Parameters> || std::same_as<Parameters, Request&>)&&...),
                  "a coroutine takes its arguments by value: they end when it first waits");
    using Value = typename detail::Awaited<std::invoke_result_t<F&, Parameters...>>::Value;
    if constexpr (std::same_as<Value, Response>) {
      return [callable = std::move(callable)](Request& request) mutable {
        return detail::call<Parameters...>(callable, request);
      };
    } else {
      return [callable = std::move(callable)](Request& request) mutable {
        return converted(detail::call<Parameters...>(callable, request));
      };
    }
  }

  template <class T>
  static Task<Response> converted(Task<T> task) {
    T value = co_await std::move(task);
    co_return ToResponse<T>::convert(std::move(value));
  }

  std::variant<Function, Coroutine> callable_;
  bool streams_ = false;
};

}  // namespace livetls::web
