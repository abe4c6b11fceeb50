#include "servers.hpp"

#include <array>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <utility>

namespace livetls::demo {

void StaleCheck::update_returned(std::uint64_t generation) {
  const std::scoped_lock lock(mutex_);
  updates_.push_back({std::chrono::steady_clock::now(), generation});
  if (updates_.size() > kRemembered) updates_.pop_front();
}

bool StaleCheck::is_stale(const Connection& connection) {
  const std::scoped_lock lock(mutex_);
  for (auto update = updates_.rbegin(); update != updates_.rend(); ++update) {
    if (update->returned_at < connection.hello_received_at()) {
      return connection.generation() < update->generation;
    }
  }
  return false;
}

Servers::Servers(Runtime& runtime, Certificates certificates, std::uint16_t https_port,
                 std::uint16_t tcp_port)
    : certificates_(std::move(certificates)),
      manager_(CertManager::create(certificates_.next()).value()),
      https_(runtime, manager_, routes(), {.port = https_port}),
      tcp_(runtime, manager_, [this](Connection& connection) { return echo(connection); },
           {.port = tcp_port}) {}

void Servers::rotate() {
  Certificate certificate = certificates_.next();
  const auto start = std::chrono::steady_clock::now();
  const Receipt receipt = manager_->update(std::move(certificate)).value();
  update_latencies_.add(std::chrono::steady_clock::now() - start);
  stale_check_.update_returned(receipt.generation);
  ++rotations_;
}

web::Router Servers::routes() {
  web::Router router;
  router.get("/", [](web::Request&) {
    return web::Response::text("An HTTPS API whose certificate changes while it runs.\n");
  });
  router.get("/served", [this](web::Request& request) {
    const Connection& connection = request.connection();
    note(connection, https_counts_);
    return web::Response::json(
        boost::json::object{{"generation", connection.generation()},
                            {"fingerprint", to_hex(connection.certificate()->leaf().fingerprint)}});
  });
  return router;
}

Task<void> Servers::echo(Connection& connection) {
  note(connection, tcp_counts_);
  const std::string fingerprint = to_hex(connection.certificate()->leaf().fingerprint);
  std::array<char, 4096> buffer;
  Result<void> written = co_await connection.write("served " + fingerprint + "\n");
  while (written) {
    const Result<std::size_t> size = co_await connection.read_some(boost::asio::buffer(buffer));
    if (!size || *size == 0) co_return;
    written = co_await connection.write(std::string_view(buffer.data(), *size));
  }
}

void Servers::note(const Connection& connection, ServerCounts& counts) {
  ++counts.connections;
  if (stale_check_.is_stale(connection)) ++counts.stale;
}

}  // namespace livetls::demo
