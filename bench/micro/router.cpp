#include "livetls/web/router.hpp"

#include <benchmark/benchmark.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "livetls/web/request.hpp"
#include "livetls/web/response.hpp"

namespace livetls::bench {
namespace {

/// An API of so many resources, each with one text and one name in its path.
web::Router router_of(std::int64_t resources) {
  web::Router router;
  for (std::int64_t i = 0; i < resources; ++i) {
    router.get("/api/v1/resource" + std::to_string(i) + "/{id}",
               [](web::Request&) { return web::Response{}; });
  }
  return router;
}

Task<void> route_all(benchmark::State& state, const web::Router& router, std::string target) {
  web::Request request(nullptr);
  request.method = web::Method::get;
  request.target = std::move(target);
  for (auto _ : state) {
    const web::Response response = co_await router.handle(request);
    if (response.status_code != 200) state.SkipWithError("not found");
    benchmark::DoNotOptimize(response);
  }
}

/// From the request to the end of a handler that does nothing.
void route(benchmark::State& state) {
  const web::Router router = router_of(state.range(0));
  boost::asio::io_context io(1);
  boost::asio::co_spawn(
      io, route_all(state, router, "/api/v1/resource" + std::to_string(state.range(0) / 2) + "/42"),
      [](std::exception_ptr failure) {
        if (failure) std::rethrow_exception(failure);
      });
  io.run();
}

BENCHMARK(route)->ArgName("routes")->Arg(1)->Arg(1000);

}  // namespace
}  // namespace livetls::bench
