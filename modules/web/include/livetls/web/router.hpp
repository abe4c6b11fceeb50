#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "livetls/web/handler.hpp"
#include "livetls/web/middleware.hpp"
#include "livetls/web/request.hpp"
#include "livetls/web/response.hpp"

namespace livetls::web {

/// Finds the handler for a request by host, path and method:
///
///     Router router;
///     router.use(access_log());
///     router.get("/", [] { return "hello\n"; });
///     router.get("/users/{id:int}", show_user);
///     router.group("/admin", [](Router& admin) {
///       admin.use(require_login);
///       admin.del("/users/{id:int}", erase_user);
///     });
///
/// A pattern is a path whose segments are text, written as it is (not percent-encoded), or stand
/// for one segment that is not empty: `{name}` for any, `{name:int}` for digits, perhaps behind a
/// minus. `{name...}` at the end stands for all the rest, which may be empty and have slashes. Text
/// goes before numbers, these before names, and these before the rest: "/users/me" before
/// "/users/{id}". "/users" and "/users/" are two paths.
///
/// HEAD is answered by the GET route where it has none of its own. An unknown path gets a 404; a
/// method that a known path does not have, a 405 with Allow; OPTIONS, a 204 with Allow.
///
/// A value: copy it, hand it to several servers. Registering throws std::invalid_argument for a
/// malformed pattern, and for a route that exists already.
/// Thread safety: `handle` from any thread while nobody registers.
class Router {
 public:
  Router();

  Router& get(std::string_view pattern, Handler handler);
  Router& post(std::string_view pattern, Handler handler);
  Router& put(std::string_view pattern, Handler handler);
  Router& patch(std::string_view pattern, Handler handler);
  Router& del(std::string_view pattern, Handler handler);
  Router& add(Method method, std::string_view pattern, Handler handler);

  /// Puts middleware around all routes, and around the answers to what no route is for. The first
  /// is the outermost. Throws std::logic_error once there are routes: whoever reads the program
  /// from its beginning must not find a route before what protects it.
  Router& use(Middleware middleware);

  /// Maps what handlers throw, and the failures of the Results they return, if it is an E:
  /// `map(const E&)` or `map(const E&, Request&)` returns what a handler could. Of several that
  /// fit, the first is taken. What nothing is registered for gives its own response where it is an
  /// HttpError, and else a 500 that tells nothing but the request's id, which the operator's log
  /// has with the reason. Throws std::logic_error once there are routes.
  template <class E, class F>
  Router& on_error(F map);

  /// Routes under a common prefix, such as "/api" or "/users/{id}", with middleware of their own
  /// inside of this router's. There, the pattern "" is the prefix itself.
  Router& group(std::string_view prefix, const std::function<void(Router&)>& fill);

  /// The same with a router that was made elsewhere. It is copied.
  Router& mount(std::string_view prefix, const Router& router);

  /// Requests for this host (of any port), or with "*.example.com" for all directly below it, are
  /// answered by `router` alone, inside of this router's middleware. Other hosts' by this one.
  Router& host(std::string_view name, const Router& router);

  /// Answers a request; needs no connection. The router and the request must outlive the task.
  /// Throws only ConnectionLost, and operation_aborted while the server is stopping.
  Task<Response> handle(Request& request) const;

 private:
  friend class Next;

  using Index = std::uint32_t;
  static constexpr Index kNone = ~Index{0};

  using ErrorMap = std::function<std::optional<Response>(const std::exception_ptr&, Request&)>;

  /// What is around handlers.
  struct Layers {
    std::vector<Middleware> middleware;  // the outermost first
    std::vector<ErrorMap> errors;        // the innermost first
  };
  using SharedLayers = std::shared_ptr<const Layers>;

  struct Route {
    Method method;
    std::string pattern;
    Handler handler;
    std::vector<std::string> names;  // of its parameters, in their order
    SharedLayers layers;
  };

  /// What is registered for the paths that end here, and where longer ones go on.
  struct Node {
    Node() { routes.fill(kNone); }

    std::map<std::string, Index, std::less<>> texts;
    Index number = kNone;
    Index name = kNone;
    Index rest = kNone;
    std::array<Index, kRoutableMethods> routes;
    std::string allow;  // empty: no route ends here
  };

  Router& insert(Route route);
  void take_routes(const Router& from, std::string_view prefix);
  Index add_segment(Index node, std::string_view segment);
  const Node* find(Index node, std::string_view path,
                   std::vector<std::string_view>& captured) const;
  const Node* find_below(const Node& node, std::string_view segment, std::string_view path,
                         std::vector<std::string_view>& captured) const;
  const Route* route(const Node& node, Method method) const;
  static bool describe_route(const Route& route, const std::vector<std::string_view>& captured,
                             Request& request);
  const Router& for_host(const Request& request) const;
  void check_no_routes(const char* what) const;
  Router& add_error_map(ErrorMap map);
  static SharedLayers join(const SharedLayers& outer, const SharedLayers& inner);
  static std::string allowed_methods(const Node& node);
  static Response respond_to(std::exception_ptr error, Request& request, const Layers& layers);

  std::vector<Node> nodes_;  // the first is the root
  std::vector<Route> routes_;
  SharedLayers layers_ = std::make_shared<Layers>();
  std::map<std::string, std::shared_ptr<const Router>, std::less<>> hosts_;
};

template <class E, class F>
Router& Router::on_error(F map) {
  return add_error_map([map = std::move(map)](const std::exception_ptr& thrown,
                                              Request& request) -> std::optional<Response> {
    try {
      std::rethrow_exception(thrown);
    } catch (const E& error) {
      if constexpr (std::invocable<const F&, const E&, Request&>) {
        using Value = std::invoke_result_t<const F&, const E&, Request&>;
        return ToResponse<Value>::convert(map(error, request));
      } else {
        using Value = std::invoke_result_t<const F&, const E&>;
        return ToResponse<Value>::convert(map(error));
      }
    } catch (...) {
      return std::nullopt;
    }
  });
}

}  // namespace livetls::web
