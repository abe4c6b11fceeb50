#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "livetls/web/handler.hpp"
#include "livetls/web/request.hpp"
#include "livetls/web/response.hpp"

namespace livetls::web {

/// Finds the handler for a request by method and path:
///
///     Router router;
///     router.get("/", [](Request&) { return Response::text("hello\n"); });
///     router.get("/users/{id}", show_user);
///
/// A pattern is a path whose segments are either text, written as it is (not percent-encoded), or
/// `{name}`, which stands for one segment that is not empty. Text goes before names: "/users/me"
/// before "/users/{id}". "/users" and "/users/" are two paths.
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

  /// Answers a request; needs no connection. The router must outlive the task. Throws what the
  /// handler throws.
  Task<Response> handle(Request& request) const;

 private:
  using Index = std::uint32_t;
  static constexpr Index kNone = ~Index{0};

  struct Route {
    Handler handler;
    std::vector<std::string> names;  // of its parameters, in their order
  };

  /// What is registered for the paths that end here, and where longer ones go on.
  struct Node {
    Node() { routes.fill(kNone); }

    std::map<std::string, Index, std::less<>> texts;
    Index name = kNone;
    std::array<Index, kRoutableMethods> routes;
    std::string allow;  // empty: no route ends here
  };

  Index add_segment(Index node, std::string_view segment, std::vector<std::string>& names);
  const Node* find(Index node, std::string_view path,
                   std::vector<std::string_view>& captured) const;
  const Route* route(const Node& node, Method method) const;
  static std::string allowed_methods(const Node& node);

  std::vector<Node> nodes_;  // the first is the root
  std::vector<Route> routes_;
};

}  // namespace livetls::web
