// The routes form a tree with one level for each segment. A node has its texts and at most one
// parameter below it, whatever that is called: a route keeps its own names.

#include "livetls/web/router.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

#include "percent_decode.hpp"

namespace livetls::web {
namespace {

[[noreturn]] void refuse(std::string_view pattern, std::string_view reason) {
  throw std::invalid_argument("the route \"" + std::string(pattern) + "\" " + std::string(reason));
}

/// Takes the first segment, with the slash before it, off a path.
std::string_view take_segment(std::string_view& path) {
  path.remove_prefix(1);
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

bool is_parameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

bool is_name(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return std::ranges::all_of(text, allowed);
}

void check_segment(std::string_view pattern, std::string_view segment) {
  if (segment == "." || segment == "..") refuse(pattern, "has a segment that no path can have");
  if (segment.find_first_of("?#") != segment.npos) refuse(pattern, "holds '?' or '#'");
  if (segment.find_first_of("{}") == segment.npos) return;
  if (!is_parameter(segment) || !is_name(segment.substr(1, segment.size() - 2))) {
    refuse(pattern, "must have {name} as a whole segment, of letters, digits and '_'");
  }
}

Response not_allowed(Method method, const std::string& allow) {
  Response response = Response::status(method == Method::options ? 204 : 405);
  response.headers.set("Allow", allow);
  return response;
}

}  // namespace

Task<Response> Handler::operator()(Request& request) const {
  if (const auto* function = std::get_if<Function>(&callable_)) co_return (*function)(request);
  co_return co_await std::get<Coroutine>(callable_)(request);
}

Router::Router() : nodes_(1) {}

Router& Router::get(std::string_view pattern, Handler handler) {
  return add(Method::get, pattern, std::move(handler));
}
Router& Router::post(std::string_view pattern, Handler handler) {
  return add(Method::post, pattern, std::move(handler));
}
Router& Router::put(std::string_view pattern, Handler handler) {
  return add(Method::put, pattern, std::move(handler));
}
Router& Router::patch(std::string_view pattern, Handler handler) {
  return add(Method::patch, pattern, std::move(handler));
}
Router& Router::del(std::string_view pattern, Handler handler) {
  return add(Method::del, pattern, std::move(handler));
}

Router& Router::add(Method method, std::string_view pattern, Handler handler) {
  if (method == Method::other) refuse(pattern, "needs a method that is known");
  if (!pattern.starts_with('/')) refuse(pattern, "must begin with '/'");

  std::vector<std::string> names;
  for (std::string_view rest = pattern; !rest.empty();) check_segment(pattern, take_segment(rest));
  Index end = 0;
  for (std::string_view rest = pattern; !rest.empty();) {
    end = add_segment(end, take_segment(rest), names);
  }
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (std::find(names.begin(), name, *name) != name) refuse(pattern, "has a name twice");
  }

  Node& node = nodes_[end];
  Index& route = node.routes[static_cast<std::size_t>(method)];
  if (route != kNone) {
    refuse(pattern, "is registered for " + std::string(to_string(method)) + " already");
  }
  routes_.push_back({std::move(handler), std::move(names)});
  route = static_cast<Index>(routes_.size() - 1);
  node.allow = allowed_methods(node);
  return *this;
}

std::string Router::allowed_methods(const Node& node) {
  std::string list;
  for (std::size_t i = 0; i < kRoutableMethods; ++i) {
    const auto method = static_cast<Method>(i);
    const bool answered = node.routes[i] != kNone || method == Method::options ||
                          (method == Method::head && node.routes[0] != kNone);
    if (answered) list.append(list.empty() ? "" : ", ").append(to_string(method));
  }
  return list;
}

Router::Index Router::add_segment(Index node, std::string_view segment,
                                  std::vector<std::string>& names) {
  Index next = kNone;
  if (is_parameter(segment)) {
    names.emplace_back(segment.substr(1, segment.size() - 2));
    next = nodes_[node].name;
  } else if (const auto text = nodes_[node].texts.find(segment); text != nodes_[node].texts.end()) {
    next = text->second;
  }
  if (next != kNone) return next;

  next = static_cast<Index>(nodes_.size());
  if (is_parameter(segment)) {
    nodes_[node].name = next;
  } else {
    nodes_[node].texts.emplace(segment, next);
  }
  nodes_.emplace_back();
  return next;
}

Task<Response> Router::handle(Request& request) const {
  if (request.target == "*") co_return Response::status(204);  // OPTIONS for the server as a whole

  std::vector<std::string_view> captured;
  const Node* node = request.target.starts_with('/') ? find(0, request.path(), captured) : nullptr;
  if (node == nullptr) co_return Response::status(404);
  const Route* found = route(*node, request.method);
  if (found == nullptr) co_return not_allowed(request.method, node->allow);

  request.params_.clear();
  for (std::size_t i = 0; i < captured.size(); ++i) {
    request.params_.push_back({found->names[i], *percent_decode(captured[i])});
  }
  co_return co_await found->handler(request);
}

/// The node where the whole path ends. Every node is visited once at most, since one path leads to
/// it.
const Router::Node* Router::find(Index index, std::string_view path,
                                 std::vector<std::string_view>& captured) const {
  const Node& node = nodes_[index];
  if (path.empty()) return node.allow.empty() ? nullptr : &node;

  const std::string_view segment = take_segment(path);
  std::optional<std::string> decoded;
  if (segment.find('%') != segment.npos) {
    decoded = percent_decode(segment);
    if (!decoded) return nullptr;
  }
  const auto text = node.texts.find(decoded ? std::string_view(*decoded) : segment);
  if (text != node.texts.end()) {
    if (const Node* found = find(text->second, path, captured)) return found;
  }
  if (node.name == kNone || segment.empty()) return nullptr;
  captured.push_back(segment);
  const Node* found = find(node.name, path, captured);
  if (found == nullptr) captured.pop_back();
  return found;
}

const Router::Route* Router::route(const Node& node, Method method) const {
  if (method == Method::other) return nullptr;
  Index index = node.routes[static_cast<std::size_t>(method)];
  if (index == kNone && method == Method::head) {
    index = node.routes[static_cast<std::size_t>(Method::get)];
  }
  return index == kNone ? nullptr : &routes_[index];
}

}  // namespace livetls::web
