#pragma once

#include <boost/asio/buffer.hpp>
#include <ctime>
#include <memory>
#include <optional>
#include <vector>

#include "livetls/pki/certificate_authority.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "livetls/tls/tls_engine.hpp"

namespace livetls::bench {

/// Handshakes in memory, without a socket, and the processor time of the server's side of them.
class MemoryHandshakes {
 public:
  MemoryHandshakes(KeyType key_type, TlsVersion version)
      : authority_(CertificateAuthority::create().value()),
        client_(ClientContext::create({.roots = authority_.trust_bundle(),
                                       .policy = {.min_version = version, .max_version = version}})
                    .value()),
        server_(std::make_shared<const ServerConfig>(ServerConfig{
            .contexts =
                CertManager::create(authority_.issue({.key_type = key_type}).value()).value()})) {}

  /// One, from the creation of both engines to their end; false if it failed or, with a session,
  /// was not resumed.
  bool run(const std::optional<ClientSession>& session) {
    TlsEngine client(client_, name_, session);
    std::optional<TlsEngine> server;
    on_server([&] { server.emplace(server_); });
    for (auto at_client = client.handshake(),
              at_server = TlsEngine::Step{TlsEngine::Step::Next::need_input};
         at_client.next != TlsEngine::Step::Next::done ||
         at_server.next != TlsEngine::Step::Next::done;
         at_client = client.handshake()) {
      if (at_client.next == TlsEngine::Step::Next::failed ||
          at_server.next == TlsEngine::Step::Next::failed)
        return false;
      move_output(client, *server);
      on_server([&] { at_server = server->handshake(); });
      move_output(*server, client);
    }
    read_ticket(client);
    const bool as_wanted = server->resumed() == session.has_value();
    on_server([&] { server.reset(); });
    return as_wanted;
  }

  const std::optional<ClientSession>& session() const { return session_; }
  double server_seconds() const { return server_seconds_; }

 private:
  /// Of this thread: other programs do not count.
  static double cpu_seconds() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
  }

  template <class Part>
  void on_server(const Part& part) {
    const double start = cpu_seconds();
    part();
    server_seconds_ += cpu_seconds() - start;
  }

  void move_output(TlsEngine& from, TlsEngine& to) {
    if (from.output_size() == 0) return;
    from.take_output(moving_);
    for (std::size_t moved = 0; moved < moving_.size();) {
      const std::size_t count =
          boost::asio::buffer_copy(to.input_space(), boost::asio::buffer(moving_) + moved);
      to.input_arrived(count);
      moved += count;
    }
  }

  /// It comes with the first bytes that are read.
  void read_ticket(TlsEngine& client) {
    char nothing;
    client.read(boost::asio::buffer(&nothing, 1));
    session_ = client.session();
  }

  CertificateAuthority authority_;
  std::shared_ptr<const ClientContext> client_;
  std::shared_ptr<const ServerConfig> server_;
  ServerName name_ = ServerName::parse("localhost").value();
  std::optional<ClientSession> session_;
  double server_seconds_ = 0;
  std::vector<std::uint8_t> moving_;
};

}  // namespace livetls::bench
