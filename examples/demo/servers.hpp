#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "certificates.hpp"
#include "latencies.hpp"
#include "livetls/net/runtime.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "livetls/tcp/server.hpp"
#include "livetls/web/server.hpp"

namespace livetls::demo {

/// Handshakes that were served an older generation than the newest whose update had returned when
/// their ClientHello had been read. The promise is that there are none.
class StaleCheck {
 public:
  void update_returned(std::uint64_t generation);
  bool is_stale(const Connection& connection);

 private:
  struct Update {
    std::chrono::steady_clock::time_point returned_at;
    std::uint64_t generation;
  };
  static constexpr std::size_t kRemembered = 4096;  // far more than happen within one handshake

  std::mutex mutex_;
  std::deque<Update> updates_;
};

/// What one server has seen of its clients.
struct ServerCounts {
  std::atomic<std::uint64_t> connections = 0;
  std::atomic<std::uint64_t> stale = 0;
};

/// An HTTPS API and a TCP echo server that share one CertManager.
class Servers {
 public:
  Servers(Runtime& runtime, Certificates certificates, std::uint16_t https_port,
          std::uint16_t tcp_port);

  /// One rotation: the next certificate, published by one update.
  void rotate();

  std::string root_pem() const { return certificates_.root_pem(); }
  const CertManager& manager() const { return *manager_; }
  std::uint16_t https_port() const { return https_.port(); }
  std::uint16_t tcp_port() const { return tcp_.port(); }

  const ServerCounts& https_counts() const { return https_counts_; }
  const ServerCounts& tcp_counts() const { return tcp_counts_; }
  std::uint64_t https_failed_handshakes() const { return https_.counters().failed_handshakes(); }
  std::uint64_t tcp_failed_handshakes() const { return tcp_.counters().failed_handshakes(); }

  /// How long `update` took; for the thread that rotates.
  const Latencies& update_latencies() const { return update_latencies_; }
  std::uint64_t rotations() const { return rotations_; }

 private:
  web::Router routes();
  Task<void> echo(Connection& connection);
  void note(const Connection& connection, ServerCounts& counts);

  Certificates certificates_;
  std::shared_ptr<CertManager> manager_;
  StaleCheck stale_check_;
  ServerCounts https_counts_;
  ServerCounts tcp_counts_;
  Latencies update_latencies_;
  std::uint64_t rotations_ = 0;

  web::Server https_;
  tcp::Server tcp_;
};

}  // namespace livetls::demo
