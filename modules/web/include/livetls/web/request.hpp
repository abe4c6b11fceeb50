#pragma once

#include <any>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "livetls/async/task.hpp"
#include "livetls/web/headers.hpp"
#include "livetls/web/method.hpp"

namespace livetls {
class Connection;
}

namespace livetls::web {

/// Where the body of a request comes from. A server's connections are some.
class BodySource {
 public:
  virtual ~BodySource() = default;

  virtual bool is_at_end() const noexcept = 0;

  /// Appends what comes next, at least a byte; false at the end. Throws HttpError (413 above
  /// `max_bytes` altogether, 408, 400) and ConnectionLost.
  virtual Task<bool> receive(std::string& into, std::uint64_t max_bytes) = 0;
};

/// What a client asked for. A handler may change it and take its parts; it lives until the handler
/// has returned.
class Request {
 public:
  /// Without a connection: for calling a Router in memory.
  explicit Request(const Connection* connection = nullptr) : connection_(connection) {}

  Method method = Method::get;
  std::string method_text = "GET";  ///< as sent, for Method::other

  /// As sent, percent-encoded, with the query: "/users/J%C3%B6rg?full=1". Of an absolute URI only
  /// this part. Malformed escapes, an encoded NUL, and the segments "." and ".." were refused with
  /// 400.
  std::string target = "/";

  Headers headers;

  /// Whole when a handler is called, unless that is one that streams. Middleware comes before it.
  std::string body;

  /// What the body may have, in bytes; above it a 413. Middleware may set it before the body is
  /// received.
  std::uint64_t max_body_bytes = std::numeric_limits<std::uint64_t>::max();

  /// The client would send its next request on the same connection.
  bool keep_alive = true;

  /// The target up to the query, still encoded: decoded, "/a%2Fb" and "/a/b" would be the same.
  std::string_view path() const noexcept;

  /// What follows the question mark, still encoded.
  std::string_view query() const noexcept;

  /// The first value of a name in the query, decoded as HTML forms encode it ("+" is a space).
  std::optional<std::string> query_param(std::string_view name) const;

  /// The host that was asked for, without the port; empty where there is none.
  std::string_view host() const noexcept;

  /// What stands for `{name}` of the route's pattern, decoded: it may hold any character, "/" among
  /// them, but NUL. Throws std::invalid_argument where the pattern has no such name.
  const std::string& param(std::string_view name) const;

  /// The pattern of the route that was found; empty where there is none. Good for statistics:
  /// there are as many as there are routes.
  std::string_view route() const noexcept { return route_; }

  /// Names the request in logs and in answers to the client; random, unless middleware has set it.
  const std::string& id() const;
  void set_id(std::string id) { id_ = std::move(id); }

  /// Appends the next piece of a body that is streamed, however large it is; false at the end.
  /// Throws HttpError (413, 408, 400) and ConnectionLost, which are best left to pass.
  Task<bool> read_body(std::string& into);

  /// Receives what is still missing of `body`. Errors as read_body's.
  Task<void> receive_body();
  bool has_unread_body() const noexcept { return source_ != nullptr && !source_->is_at_end(); }

  /// For servers: what the body comes from, which must outlive the request.
  void receive_from(BodySource& source, std::uint64_t max_bytes) noexcept {
    source_ = &source;
    max_body_bytes = max_bytes;
  }

  /// Nobody waits for the answer any more: what fails from now on is not worth a log.
  void abandon() noexcept { abandoned_ = true; }

  /// The connection it came on: who the peer is, what certificate was served. Throws
  /// std::logic_error on a request that was made in memory.
  const Connection& connection() const;
  bool has_connection() const noexcept { return connection_ != nullptr; }

  /// What middleware hands on to handlers: one value of each type.
  template <class T>
  T& set(T value) {
    if (T* there = get<T>()) return *there = std::move(value);
    return *std::any_cast<T>(&values_.emplace_back(std::move(value)));
  }

  /// nullptr where none was set. It ends with the next `set`.
  template <class T>
  T* get() noexcept {
    for (std::any& value : values_) {
      if (T* found = std::any_cast<T>(&value)) return found;
    }
    return nullptr;
  }

 private:
  friend class Router;

  struct Param {
    std::string name;
    std::string value;
  };

  const Connection* connection_;
  BodySource* source_ = nullptr;
  std::vector<Param> params_;
  std::string_view route_;
  mutable std::string id_;
  bool abandoned_ = false;
  std::vector<std::any> values_;
};

}  // namespace livetls::web
