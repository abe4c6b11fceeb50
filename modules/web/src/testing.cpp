#include "livetls/web/testing.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <utility>

#include "livetls/async/timer.hpp"

namespace livetls::web {

Response TestClient::post(std::string_view target, std::string body,
                          std::string_view content_type) {
  return send(Method::post, target, std::move(body), content_type);
}

Response TestClient::put(std::string_view target, std::string body, std::string_view content_type) {
  return send(Method::put, target, std::move(body), content_type);
}

Response TestClient::patch(std::string_view target, std::string body,
                           std::string_view content_type) {
  return send(Method::patch, target, std::move(body), content_type);
}

Response TestClient::send(Method method, std::string_view target, std::string body,
                          std::string_view content_type) {
  Request request;
  request.method = method;
  request.method_text = to_string(method);
  request.target = target;
  request.headers = headers;
  if (!request.headers.contains("Host")) request.headers.set("Host", "localhost");
  if (!content_type.empty()) request.headers.set("Content-Type", content_type);
  request.body = std::move(body);
  return send(request);
}

namespace {

class Collector final : public BodyWriter {
 public:
  explicit Collector(std::string& into) : into_(into) {}

  Task<void> write(std::string_view piece) override {
    into_ += piece;
    co_return;
  }
  bool stopping() const noexcept override { return false; }

  Task<void> stopped() override {
    using Clock = std::chrono::steady_clock;
    Timer never(co_await boost::asio::this_coro::executor, Clock::time_point::max());
    co_await never.async_wait(use_task);
  }

 private:
  std::string& into_;
};

Task<Response> answered(const Router& router, Request& request) {
  Response response = co_await router.handle(request);
  if (!response.stream) co_return response;
  Collector body(response.body);
  co_await response.stream(body);
  response.stream = {};
  co_return response;
}

}  // namespace

Response TestClient::send(Request& request) {
  boost::asio::io_context io;
  auto response =
      boost::asio::co_spawn(io.get_executor(), answered(router_, request), boost::asio::use_future);
  io.run();
  return response.get();
}

}  // namespace livetls::web
