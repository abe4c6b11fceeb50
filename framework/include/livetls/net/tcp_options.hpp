#pragma once

#include <chrono>

namespace livetls {

/// How the kernel treats a TCP connection. Unix sockets have none of this.
struct TcpOptions {
  /// What is written leaves at once, however little it is (TCP_NODELAY).
  bool no_delay = true;

  /// A peer of which nothing has come for so long is asked by the kernel whether it is still there.
  /// Zero: never; idle time limits end such connections, too. Range: whole seconds, to 9 hours.
  std::chrono::seconds keep_alive_idle = std::chrono::seconds(0);

  /// Where it does not answer, it is asked again so often, and then the connection fails.
  std::chrono::seconds keep_alive_interval = std::chrono::seconds(10);
  int keep_alive_probes = 3;  ///< 1 to 127
};

}  // namespace livetls
