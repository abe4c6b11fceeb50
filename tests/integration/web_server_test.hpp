#pragma once

// What the tests of web::Server have in common.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <stdexcept>

#include "livetls/web/server.hpp"
#include "support/captured_log.hpp"
#include "support/eventually.hpp"
#include "support/gate.hpp"
#include "support/http_client.hpp"
#include "support/running_runtime.hpp"
#include "support/subprocess.hpp"

namespace livetls::web {

using namespace std::chrono_literals;
using test::eventually;
using test::HttpResponse;
using test::PlainClient;
using testing::HasSubstr;
using testing::Not;

constexpr auto kShort = 100ms;

/// Where the client must get something done before.
constexpr auto kNotTooShort = 500ms;

class WebServer : public testing::Test {
 protected:
  ~WebServer() override {
    gate_.open();
    if (server_) {
      EXPECT_TRUE(eventually([&] { return server_->counters().open_connections == 0; }))
          << "a connection is left over";
    }
    server_.reset();
  }

  void start(ServerOptions options = {}) { start(router(), options); }

  void start(Router router, ServerOptions options = {}) {
    options.plain = true;
    server_.emplace(runtime_, nullptr, std::move(router), options);
  }

  PlainClient connect() { return test::plain_client(server_->port()); }

  /// The answer to a request that is sent as it is, on a connection of its own.
  HttpResponse ask(std::string_view text) {
    PlainClient client = connect();
    client.send(text);
    return client.response();
  }

  Router router() {
    Router router;
    router.get("/", [](Request&) { return Response::text("hello"); });
    router.post("/echo", [](Request& r) { return Response::text(std::move(r.body)); });
    router.get("/users/{id}", [](Request& r) { return Response::text(r.param("id")); });
    router.get("/gate", [this](Request&) { return pass_gate(); });
    router.get("/throws", [](Request&) -> Response { throw std::runtime_error("the secret"); });
    router.get("/throws-7", [](Request&) -> Response { throw 7; });
    router.get("/injects", [](Request& r) {
      Response response = Response::text("x");
      response.headers.set("X", *r.query_param("v"));
      return response;
    });
    router.get("/frames", [](Request&) {
      Response response = Response::text("x");
      response.headers.set("Content-Length", "100");
      return response;
    });
    router.get("/closes", [](Request&) {
      Response response = Response::text("bye");
      response.headers.set("Connection", "close");
      return response;
    });
    router.get("/big", [](Request&) { return Response::text(std::string(kBig, 'x')); });
    router.get("/empty", [](Request&) { return Response::status(204); });
    return router;
  }

  Task<Response> pass_gate() {
    co_await gate_.pass();
    co_return Response::text("passed");
  }

  static constexpr std::size_t kBig = 64 << 20;

  test::CapturedLog log_;
  test::Gate gate_;
  test::RunningRuntime runtime_;
  std::optional<Server> server_;
};

inline std::string get(std::string_view target, std::string_view fields = "") {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n";
}

inline std::string post(std::string_view body) {
  return "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

}  // namespace livetls::web
