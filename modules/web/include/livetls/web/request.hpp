#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "livetls/web/headers.hpp"
#include "livetls/web/method.hpp"

namespace livetls {
class Connection;
}

namespace livetls::web {

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
  std::string body;

  /// The client would send its next request on the same connection.
  bool keep_alive = true;

  /// The target up to the query, still encoded: decoded, "/a%2Fb" and "/a/b" would be the same.
  std::string_view path() const noexcept;

  /// What follows the question mark, still encoded.
  std::string_view query() const noexcept;

  /// The first value of a name in the query, decoded as HTML forms encode it ("+" is a space).
  std::optional<std::string> query_param(std::string_view name) const;

  /// What stands for `{name}` of the route's pattern, decoded: it may hold any character, "/" among
  /// them, but NUL. Throws std::invalid_argument where the pattern has no such name.
  const std::string& param(std::string_view name) const;

  /// The connection it came on: who the peer is, what certificate was served. Throws
  /// std::logic_error on a request that was made in memory.
  const Connection& connection() const;

 private:
  friend class Router;

  struct Param {
    std::string name;
    std::string value;
  };

  const Connection* connection_;
  std::vector<Param> params_;
};

}  // namespace livetls::web
