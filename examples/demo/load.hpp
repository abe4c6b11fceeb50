#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace livetls::demo {

/// What the load process is told on its command line.
struct LoadOptions {
  std::uint16_t https_port = 0;
  std::uint16_t tcp_port = 0;
  std::string ca_file;
  std::chrono::milliseconds duration{};
  std::chrono::milliseconds report_every{1000};
  int connections = 4;  ///< at a time, to each server; half of them TLS 1.2
  int kept = 4;         ///< to each server, open from beginning to end
};

/// Opens fresh, fully verified connections to both servers for `duration`, uses each for a request,
/// and checks that the server believes to have served what the client got. Prints a JSON object to
/// standard output at every interval, with the latencies of that, and a last one with "done": true.
/// Answers the process's exit code.
int run_load(const LoadOptions& options);

}  // namespace livetls::demo
