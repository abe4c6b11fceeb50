#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace livetls::bench {

/// Binds the calling thread, and what it starts, to one processor, or to none.
void pin_to(int processor);
constexpr int kAnyProcessor = -1;

/// Where the program is (PATH, and where Debian puts servers), or empty.
std::filesystem::path find_program(const std::string& name);

/// A server in a process of its own, bound to one processor, ended with the object. It also ends
/// with the thread that made it: let that be one that stays.
class ServerProcess {
 public:
  struct Command {
    std::vector<std::string> arguments;         // the program first
    std::vector<std::string> environment = {};  // NAME=VALUE, besides the caller's
    std::filesystem::path output;               // what the server says goes to the end of this file
  };

  /// Runs `serve` in a fork; it calls its argument with the port once it listens. Fork before there
  /// are threads.
  static ServerProcess fork_of(
      int processor, const std::function<void(std::function<void(std::uint16_t)>)>& serve);

  /// Runs a program, with as many open files as allowed, and waits until 127.0.0.1:`port` accepts.
  static ServerProcess run(int processor, std::uint16_t port, const Command& command);

  ServerProcess(ServerProcess&& other) noexcept;
  ~ServerProcess();

  pid_t pid() const { return pid_; }
  std::uint16_t port() const { return port_; }

  /// Its worker processes at the moment, also those that only wait for their connections to end.
  std::vector<pid_t> workers() const;

  /// What the kernel has accounted to the server: its process and its workers, those of before
  /// included, all their threads. Exact but for workers that have ended: of their sum, user and
  /// system time each count in whole 10 ms, so that a reading may be up to 20 ms too low.
  std::chrono::nanoseconds cpu_time() const;

  /// Resident memory in KiB: of the workers, if there are any, or of the server itself. Pages that
  /// workers share count for each of them.
  std::uint64_t resident_kib() const;

  void signal(int number) const;

 private:
  ServerProcess(pid_t pid, std::uint16_t port) : pid_(pid), port_(port) {}
  bool has_ended();

  pid_t pid_;
  std::uint16_t port_;
};

}  // namespace livetls::bench
