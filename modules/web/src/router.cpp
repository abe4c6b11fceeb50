// The routes form a tree with one level for each segment. Below a node are its texts and at most
// one number, one name and one rest, whatever they are called: a route keeps its own names. Groups
// and mounted routers leave no trace in it, but in the layers that their routes bring along.

#include "livetls/web/router.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "ascii.hpp"
#include "internal_error.hpp"
#include "livetls/base/describe.hpp"
#include "livetls/net/connection.hpp"
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

/// What a segment of a pattern stands for.
struct Segment {
  enum class Kind { text, number, name, rest };
  Kind kind;
  std::string_view name;  // or the text
};

bool is_name(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && std::ranges::all_of(text, allowed);
}

bool remove_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

Segment parse_segment(std::string_view pattern, std::string_view segment) {
  if (segment == "." || segment == "..") refuse(pattern, "has a segment that no path can have");
  if (segment.find_first_of("?#") != segment.npos) refuse(pattern, "holds '?' or '#'");
  if (segment.find_first_of("{}") == segment.npos) return {Segment::Kind::text, segment};
  if (!segment.starts_with('{') || !remove_suffix(segment, "}")) {
    refuse(pattern, "must have {name} as a whole segment");
  }
  segment.remove_prefix(1);
  const Segment::Kind kind = remove_suffix(segment, ":int")  ? Segment::Kind::number
                             : remove_suffix(segment, "...") ? Segment::Kind::rest
                                                             : Segment::Kind::name;
  if (!is_name(segment)) {
    refuse(pattern, "must have {name}, {name:int} or {name...}, of letters, digits and '_'");
  }
  return {kind, segment};
}

bool is_number(std::string_view segment) {
  if (segment.starts_with('-')) segment.remove_prefix(1);
  return !segment.empty() &&
         std::ranges::all_of(segment, [](char c) { return c >= '0' && c <= '9'; });
}

Response not_allowed(Method method, const std::string& allow) {
  Response response = Response::status(method == Method::options ? 204 : 405);
  response.headers.set("Allow", allow);
  return response;
}

}  // namespace

// ---- Registering -------------------------------------------------------------------------------

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
  return insert({method, std::string(pattern), std::move(handler), {}, layers_});
}

Router& Router::insert(Route route) {
  const std::string_view pattern = route.pattern;
  if (route.method == Method::other) refuse(pattern, "needs a method that is known");
  if (!pattern.empty() && !pattern.starts_with('/')) refuse(pattern, "must begin with '/'");
  for (std::string_view rest = pattern; !rest.empty();) {
    const Segment segment = parse_segment(pattern, take_segment(rest));
    if (segment.kind == Segment::Kind::rest && !rest.empty()) {
      refuse(pattern, "has something behind what stands for all the rest");
    }
    if (segment.kind == Segment::Kind::text) continue;
    if (std::ranges::find(route.names, segment.name) != route.names.end()) {
      refuse(pattern, "has a name twice");
    }
    route.names.emplace_back(segment.name);
  }
  Index end = 0;
  for (std::string_view rest = pattern; !rest.empty();) {
    end = add_segment(end, take_segment(rest));
  }
  Node& node = nodes_[end];
  Index& index = node.routes[static_cast<std::size_t>(route.method)];
  if (index != kNone) {
    refuse(pattern, "is registered for " + std::string(to_string(route.method)) + " already");
  }
  index = static_cast<Index>(routes_.size());
  routes_.push_back(std::move(route));
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

Router::Index Router::add_segment(Index node, std::string_view text) {
  const Segment segment = parse_segment(text, text);
  const Index fresh = static_cast<Index>(nodes_.size());
  Index* next = nullptr;
  switch (segment.kind) {
    case Segment::Kind::text:
      next = &nodes_[node].texts.try_emplace(std::string(text), kNone).first->second;
      break;
    case Segment::Kind::number: next = &nodes_[node].number; break;
    case Segment::Kind::name: next = &nodes_[node].name; break;
    case Segment::Kind::rest: next = &nodes_[node].rest; break;
  }
  if (*next != kNone) return *next;
  *next = fresh;
  nodes_.emplace_back();
  return fresh;
}

void Router::check_no_routes(const char* what) const {
  if (routes_.empty() && hosts_.empty()) return;
  throw std::logic_error(std::string(what) + " comes before the routes it is for");
}

Router& Router::use(Middleware middleware) {
  check_no_routes("middleware");
  auto layers = std::make_shared<Layers>(*layers_);
  layers->middleware.push_back(std::move(middleware));
  layers_ = std::move(layers);
  return *this;
}

Router& Router::add_error_map(ErrorMap map) {
  check_no_routes("what errors are mapped to");
  auto layers = std::make_shared<Layers>(*layers_);
  layers->errors.push_back(std::move(map));
  layers_ = std::move(layers);
  return *this;
}

Router::SharedLayers Router::join(const SharedLayers& outer, const SharedLayers& inner) {
  auto both = std::make_shared<Layers>(*outer);
  both->middleware.insert(both->middleware.end(), inner->middleware.begin(),
                          inner->middleware.end());
  both->errors.insert(both->errors.begin(), inner->errors.begin(), inner->errors.end());
  return both;
}

Router& Router::group(std::string_view prefix, const std::function<void(Router&)>& fill) {
  Router inner;
  fill(inner);
  return mount(prefix, inner);
}

/// Routes bring their layers along; this router's go around them.
void Router::take_routes(const Router& from, std::string_view prefix) {
  std::unordered_map<const Layers*, SharedLayers> joined;
  for (Route route : from.routes_) {
    SharedLayers& layers = joined[route.layers.get()];
    if (!layers) layers = join(layers_, route.layers);
    route.layers = layers;
    route.pattern.insert(0, prefix);
    route.names.clear();
    insert(std::move(route));
  }
}

Router& Router::mount(std::string_view prefix, const Router& router) {
  if (!router.hosts_.empty()) refuse(prefix, "cannot take a router with hosts");
  if (prefix.ends_with('/')) prefix.remove_suffix(1);
  take_routes(router, prefix);
  return *this;
}

Router& Router::host(std::string_view name, const Router& router) {
  if (!router.hosts_.empty()) refuse(name, "cannot take a router with hosts");
  auto site = std::make_shared<Router>();
  site->layers_ = layers_;
  site->take_routes(router, {});
  site->layers_ = join(layers_, router.layers_);
  const std::string_view key = name.starts_with("*.") ? name.substr(1) : name;
  if (!hosts_.emplace(lower(key), std::move(site)).second) refuse(name, "is a host already");
  return *this;
}

// ---- Answering ---------------------------------------------------------------------------------

/// What is behind the last middleware: a handler, or the answer that there is none.
struct Next::End {
  const Router::Layers* layers;
  const Router::Route* route;
  const Router::Node* node;

  static Task<Response> answer(End end, Request& request);
  static Task<Response> pass_middleware(End end, Request& request);
};

Task<Response> Router::handle(Request& request) const {
  const Router& site = for_host(request);
  std::vector<std::string_view> captured;
  const Node* node =
      request.target.starts_with('/') ? site.find(0, request.path(), captured) : nullptr;
  const Route* route = node == nullptr ? nullptr : site.route(*node, request.method);
  if (route != nullptr && !describe_route(*route, captured, request)) {
    node = nullptr;
    route = nullptr;
  }
  const Layers& layers = route == nullptr ? *site.layers_ : *route->layers;
  const Next::End end{&layers, route, node};
  return layers.middleware.empty() ? Next::End::answer(end, request)
                                   : Next::End::pass_middleware(end, request);
}

/// False where a part of the path cannot be decoded.
bool Router::describe_route(const Route& route, const std::vector<std::string_view>& captured,
                            Request& request) {
  request.route_ = route.pattern;
  request.params_.clear();
  for (std::size_t i = 0; i < captured.size(); ++i) {
    auto value = percent_decode(captured[i]);
    if (!value) return false;
    request.params_.push_back({route.names[i], *std::move(value)});
  }
  return true;
}

Task<Response> Next::End::answer(End end, Request& request) {
  if (request.target == "*") co_return Response::status(204);  // OPTIONS for the server as a whole
  if (end.node == nullptr) co_return Response::status(404);
  if (end.route == nullptr) co_return not_allowed(request.method, end.node->allow);
  const Handler& handler = end.route->handler;
  std::exception_ptr error;
  try {
    const bool receives = request.has_unread_body() && !handler.streams();
    if (receives) co_await request.receive_body();
    if (!handler.waits()) co_return handler.answer(request);
    co_return co_await handler.answer_later(request);
  } catch (...) {
    error = std::current_exception();
  }
  co_return Router::respond_to(error, request, *end.layers);
}

Task<Response> Next::End::pass_middleware(End end, Request& request) {
  const Next first(end.layers->middleware, end);
  co_return co_await first(request);
}

Task<Response> Next::operator()(Request& request) const {
  return rest_.empty() ? End::answer(*end_, request) : call_first(*this, request);
}

Task<Response> Next::call_first(Next next, Request& request) {
  std::exception_ptr error;
  try {
    const Next rest(next.rest_.subspan(1), *next.end_);
    co_return co_await next.rest_.front()(request, rest);
  } catch (...) {
    error = std::current_exception();
  }
  co_return Router::respond_to(error, request, *next.end_->layers);
}

/// The client learns nothing of what went wrong; the operator does.
Response Router::respond_to(std::exception_ptr error, Request& request, const Layers& layers) {
  try {
    std::rethrow_exception(error);
  } catch (const ConnectionLost&) {
    throw;
  } catch (const boost::system::system_error& failure) {
    const bool stopping = request.has_connection() && request.connection().stopping();
    if (stopping && failure.code() == boost::asio::error::operation_aborted) throw;
  } catch (...) {
  }
  try {
    for (const ErrorMap& map : layers.errors) {
      if (auto response = map(error, request)) return *std::move(response);
    }
  } catch (...) {
    error = std::current_exception();  // of the map itself
  }
  try {
    std::rethrow_exception(error);
  } catch (const HttpError& known) {
    return known.response();
  } catch (...) {
  }
  if (request.abandoned_) return Response::status(503);
  return internal_error(request, describe(error));
}

const Router& Router::for_host(const Request& request) const {
  if (hosts_.empty()) return *this;
  const std::string host = lower(request.host());
  auto found = hosts_.find(host);
  if (found == hosts_.end() && host.find('.') != host.npos) {
    found = hosts_.find(std::string_view(host).substr(host.find('.')));
  }
  return found == hosts_.end() ? *this : *found->second;
}

/// The node where the whole path ends. One that ends at no node may be one that a rest takes.
const Router::Node* Router::find(Index index, std::string_view path,
                                 std::vector<std::string_view>& captured) const {
  const Node& node = nodes_[index];
  if (path.empty()) return node.allow.empty() ? nullptr : &node;
  std::string_view below = path;
  const std::string_view segment = take_segment(below);
  if (const Node* found = find_below(node, segment, below, captured)) return found;
  if (node.rest == kNone) return nullptr;
  captured.push_back(path.substr(1));
  return &nodes_[node.rest];
}

const Router::Node* Router::find_below(const Node& node, std::string_view segment,
                                       std::string_view path,
                                       std::vector<std::string_view>& captured) const {
  std::optional<std::string> decoded;
  if (segment.find('%') != segment.npos) {
    decoded = percent_decode(segment);
    if (!decoded) return nullptr;
  }
  const std::string_view text = decoded ? std::string_view(*decoded) : segment;
  if (const auto next = node.texts.find(text); next != node.texts.end()) {
    if (const Node* found = find(next->second, path, captured)) return found;
  }
  for (const Index next : {is_number(text) ? node.number : kNone, node.name}) {
    if (next == kNone || segment.empty()) continue;
    captured.push_back(segment);
    if (const Node* found = find(next, path, captured)) return found;
    captured.pop_back();
  }
  return nullptr;
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
