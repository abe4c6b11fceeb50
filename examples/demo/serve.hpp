#pragma once

#include <cstddef>
#include <cstdint>

namespace livetls::demo {

struct ServeOptions {
  std::uint16_t https_port = 8443;
  std::uint16_t tcp_port = 8444;
  std::size_t threads = 0;
};

/// Keeps both servers up until SIGINT or SIGTERM; rotates on SIGHUP and whenever a line is entered.
int serve(const ServeOptions& options);

}  // namespace livetls::demo
