#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "livetls/pki/certificate.hpp"
#include "server_process.hpp"

namespace livetls::bench {

enum class Service {
  https,      ///< "hello" at "/", and the files of `PeerOptions.directory` below "/files/"
  echo,       ///< of bytes
  json,       ///< what is posted is parsed and comes back
  websocket,  ///< an echo of messages
};

std::string to_string(Service service);

struct PeerOptions {
  Service service = Service::https;
  bool tickets = false;
  int processor = 0;
  std::uint16_t echo_backend_port = 0;  // of 127.0.0.1, where haproxy and hitch pass bytes on to
  std::filesystem::path directory;      // each peer makes one of its own in it, beside "files"
};

/// Another TLS server with one worker on a free port, and its own way to change certificates. Ended
/// with the object.
class Peer {
 public:
  /// These throw std::invalid_argument for what a peer cannot do, std::runtime_error when it does
  /// not start.

  /// https only. Changes by files and SIGHUP: a new worker takes over, and the old one keeps its
  /// busy connections for one more answer each; those that are idle just then it closes.
  static Peer nginx(const PeerOptions& options, const Certificate& certificate);

  /// Changes by `set ssl cert` and `commit ssl cert` on its runtime socket; connections stay.
  static Peer haproxy(const PeerOptions& options, const Certificate& certificate);

  /// echo only, and on processor 0 only, to which it binds its worker itself. Changes by file and
  /// SIGHUP: a new worker takes over, and the old one keeps its connections until the next change.
  /// Each worker listens for itself: for a moment nobody may, and who waits to be accepted is
  /// reset.
  static Peer hitch(const PeerOptions& options, const Certificate& certificate);

  /// peers/asio_ssl_server.cpp, without the files. Changes by files and SIGHUP; connections stay.
  static Peer asio_ssl(const PeerOptions& options, const Certificate& certificate);

  /// Whether nginx, haproxy, hitch or asio_ssl is there to be run.
  static bool available(std::string_view name);

  /// Of the program of that name; empty where it is not there.
  static std::string version(std::string_view name);
  const ServerProcess& process() const { return process_; }
  std::uint16_t port() const { return process_.port(); }

  /// Returns when the peer says that it serves this certificate to connections to come. Throws
  /// std::runtime_error when it does not say so.
  void rotate(const Certificate& certificate);

 private:
  struct Kind;
  static const Kind kNginx, kHaproxy, kHitch, kAsioSsl;
  static const Kind* find(std::string_view name);

  Peer(const Kind& kind, std::filesystem::path directory, ServerProcess process)
      : kind_(&kind), directory_(std::move(directory)), process_(std::move(process)) {}
  static Peer start(const Kind& kind, const PeerOptions& options, const Certificate& certificate);
  void rotate_by_hangup(const Certificate& certificate);
  void rotate_by_runtime_socket(const Certificate& certificate);

  const Kind* kind_;
  std::filesystem::path directory_;
  ServerProcess process_;
};

}  // namespace livetls::bench
