#pragma once

#include <string>
#include <string_view>

#include "livetls/web/router.hpp"

namespace livetls::web {

/// Calls a router in memory, for tests of handlers: no socket, no certificate, no thread.
///
///     TestClient client(router);
///     client.headers.set("Authorization", "Bearer secret");
///     EXPECT_EQ(client.get("/users/7").status_code, 200);
///
/// The response is as a handler or middleware made it: what the server does to it on its way (Date,
/// no body for HEAD) is not done. Each call returns when the response is complete, so a handler
/// that waits for something that only the caller can do waits for ever.
class TestClient {
 public:
  /// The router must outlive it.
  explicit TestClient(const Router& router) : router_(router) {}

  /// Sent with every request.
  Headers headers;

  Response get(std::string_view target) { return send(Method::get, target); }
  Response del(std::string_view target) { return send(Method::del, target); }
  Response post(std::string_view target, std::string body, std::string_view content_type);
  Response put(std::string_view target, std::string body, std::string_view content_type);
  Response patch(std::string_view target, std::string body, std::string_view content_type);

  Response send(Method method, std::string_view target, std::string body = {},
                std::string_view content_type = {});
  Response send(Request& request);

 private:
  const Router& router_;
};

}  // namespace livetls::web
