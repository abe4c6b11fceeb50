// A JSON API on a SQLite database. Try
//
//     curl --cacert ca.pem https://localhost:8443/notes -d '{"title": "a", "text": "b"}'
//          -H 'Content-Type: application/json'

#include <csignal>
#include <iostream>

#include "blocking.hpp"
#include "livetls/net/runtime.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "livetls/web/json.hpp"
#include "livetls/web/middleware/access_log.hpp"
#include "livetls/web/middleware/body_limit.hpp"
#include "livetls/web/middleware/gzip.hpp"
#include "livetls/web/middleware/request_id.hpp"
#include "livetls/web/middleware/timeout.hpp"
#include "livetls/web/server.hpp"
#include "store.hpp"

using namespace livetls;
using namespace notes;
using namespace std::chrono_literals;
using web::Json, web::Path, web::Query, web::Request, web::Response;

namespace {

void check(const NewNote& note) {
  if (note.title.empty() || note.title.size() > 200) {
    throw web::HttpError(422, "title: must have 1 to 200 bytes");
  }
}

Response created(const Note& note) {
  Response response = web::ToResponse<Note>::convert(note);
  response.status_code = 201;
  response.headers.set("Location", "/notes/" + std::to_string(note.id));
  return response;
}

web::Router routes(Store& store, Blocking& blocking) {
  web::Router router;
  router.use(web::request_id()).use(web::access_log()).use(web::gzip());
  router.use(web::timeout(10s)).use(web::body_limit(64 * 1024));
  router.on_error<NotFound>([](const NotFound& error) {
    return Response::problem(404, "there is no note " + std::to_string(error.id));
  });

  router.get("/notes", [&](Query<"limit", std::optional<int>> limit) -> Task<std::vector<Note>> {
    const int count = std::clamp(limit->value_or(20), 1, 100);
    co_return co_await blocking.run([&store, count] { return store.newest(count); });
  });
  router.post("/notes", [&](Json<NewNote> note) -> Task<Response> {
    check(*note);
    co_return created(co_await blocking.run([&] { return store.add(*note); }));
  });
  router.get("/notes/{id:int}", [&](Path<"id", std::int64_t> id) -> Task<Note> {
    co_return co_await blocking.run([&] { return store.get(*id); });
  });
  router.put("/notes/{id:int}", [&](Path<"id", std::int64_t> id, Json<NewNote> note) -> Task<Note> {
    check(*note);
    co_return co_await blocking.run([&] { return store.replace(*id, *note); });
  });
  router.del("/notes/{id:int}", [&](Path<"id", std::int64_t> id) -> Task<web::Status> {
    co_await blocking.run([&] { return store.erase(*id), true; });
    co_return web::Status{204};
  });
  return router;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 5) throw std::invalid_argument("usage: notes CERT_FILE KEY_FILE DATABASE PORT");
  const auto load = [argv] { return Certificate::load(argv[1], argv[2]); };

  Store store(argv[3]);
  Blocking blocking;
  Runtime runtime;
  const auto manager = CertManager::create(load().value()).value();
  const auto port = static_cast<std::uint16_t>(std::stoi(argv[4]));
  web::Server server(runtime, manager, routes(store, blocking), {.port = port});

  runtime.on_signal(SIGHUP, [&] {
    const auto renewed = load();
    const auto receipt = renewed ? manager->update(*renewed) : renewed.error();
    std::cerr << (receipt ? "updated" : "kept the old: " + receipt.error().message()) << std::endl;
  });
  std::cout << "https://localhost:" << server.port() << "/notes" << std::endl;
  runtime.run();
} catch (const std::exception& error) {
  std::cerr << "notes: " << error.what() << '\n';
  return 1;
}
