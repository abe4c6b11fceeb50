#include "net/apply_tcp_options.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace livetls {
namespace {

void set(int socket, int level, int name, int value) {
  if (::setsockopt(socket, level, name, &value, sizeof value) != 0) {
    throw std::system_error(errno, std::system_category(), "setsockopt");
  }
}

int seconds(std::chrono::seconds duration) { return static_cast<int>(duration.count()); }

}  // namespace

void check(const TcpOptions& options) {
  constexpr std::chrono::seconds kLongest = std::chrono::hours(9);
  if (options.keep_alive_idle.count() < 0 || options.keep_alive_idle > kLongest ||
      options.keep_alive_interval.count() < 1 || options.keep_alive_interval > kLongest ||
      options.keep_alive_probes < 1 || options.keep_alive_probes > 127) {
    throw std::invalid_argument("TcpOptions: keep_alive_* is out of range");
  }
}

void apply(const TcpOptions& options, int socket) {
  set(socket, IPPROTO_TCP, TCP_NODELAY, options.no_delay ? 1 : 0);
  if (options.keep_alive_idle.count() == 0) return;
  set(socket, IPPROTO_TCP, TCP_KEEPIDLE, seconds(options.keep_alive_idle));
  set(socket, IPPROTO_TCP, TCP_KEEPINTVL, seconds(options.keep_alive_interval));
  set(socket, IPPROTO_TCP, TCP_KEEPCNT, options.keep_alive_probes);
  set(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
}

}  // namespace livetls
