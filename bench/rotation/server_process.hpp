#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace livetls::bench {

/// Binds the calling thread, and what it starts, to one processor.
void pin_to(int processor);

/// A server in a process of its own, bound to one processor, ended with the object.
class ServerProcess {
 public:
  /// Runs `serve` in a fork; it calls its argument with the port once it listens. Fork before there
  /// are threads.
  static ServerProcess fork_of(
      int processor, const std::function<void(std::function<void(std::uint16_t)>)>& serve);

  /// nginx with one worker, on a free port, in `directory`, which holds cert.pem and key.pem and
  /// where its configuration is made from `conf_template`.
  static ServerProcess nginx(int processor, const std::filesystem::path& directory,
                             const std::filesystem::path& conf_template);

  ServerProcess(ServerProcess&& other) noexcept;
  ~ServerProcess();

  std::uint16_t port() const { return port_; }

  /// What the kernel has accounted to the process that serves, all its threads.
  std::chrono::nanoseconds cpu_time() const;

  /// Resident memory, in KiB.
  std::uint64_t resident_kib() const;

 private:
  ServerProcess(pid_t parent, pid_t serving, std::uint16_t port)
      : pid_(parent), serving_pid_(serving), port_(port) {}

  pid_t pid_;
  pid_t serving_pid_;  // nginx: the worker
  std::uint16_t port_;
};

}  // namespace livetls::bench
