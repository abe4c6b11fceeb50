#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace livetls::test {

/// A program that runs beside the test: started at construction, its standard output and error read
/// together, killed at the end where it has not ended by itself.
class Subprocess {
 public:
  static constexpr std::chrono::seconds kPatience{30};

  explicit Subprocess(std::vector<std::string> command) : name_(command.at(0)) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) fail("socketpair");
    socket_ = ends[0];
    std::vector<char*> arguments;
    for (std::string& argument : command) arguments.push_back(argument.data());
    arguments.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    for (const int fd : {0, 1, 2}) ::posix_spawn_file_actions_adddup2(&actions, ends[1], fd);
    const int error =
        ::posix_spawnp(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    if (error != 0) {
      ::close(socket_);
      throw std::runtime_error("cannot start " + name_);
    }
  }

  ~Subprocess() {
    ::close(socket_);
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  /// To its standard input.
  void write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent < 0) fail("send");
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  void signal(int number) { ::kill(pid_, number); }

  void close_input() { ::shutdown(socket_, SHUT_WR); }

  /// Reads until `text` has come, and returns what came up to its end. Throws where the program
  /// ends without it, or takes too long.
  std::string read_until(std::string_view text) {
    std::size_t found = output_.find(text);
    while (found == std::string::npos) {
      if (!read_more()) throw std::runtime_error(name_ + " ended: " + output_);
      found = output_.find(text);
    }
    std::string head = output_.substr(0, found + text.size());
    output_.erase(0, head.size());
    return head;
  }

  struct Finished {
    int exit_code;  ///< -1: killed by a signal
    std::string output;
  };

  /// Closes its input and reads what is left.
  Finished wait() {
    close_input();
    while (read_more()) {
    }
    int status = 0;
    ::waitpid(std::exchange(pid_, 0), &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, std::exchange(output_, {})};
  }

 private:
  /// False at the end of its output.
  bool read_more() {
    pollfd waiting{socket_, POLLIN, 0};
    const auto patience = std::chrono::milliseconds(kPatience).count();
    if (::poll(&waiting, 1, static_cast<int>(patience)) <= 0) {
      throw std::runtime_error(name_ + " hangs: " + output_);
    }
    char buffer[4096];
    const ssize_t bytes = ::recv(socket_, buffer, sizeof buffer, 0);
    if (bytes <= 0) return false;
    output_.append(buffer, static_cast<std::size_t>(bytes));
    return true;
  }

  [[noreturn]] void fail(const char* call) const {
    throw std::runtime_error(name_ + ": " + call + " failed");
  }

  std::string name_;
  pid_t pid_ = 0;
  int socket_ = -1;
  std::string output_;
};

/// Runs a program to its end.
inline Subprocess::Finished run(std::vector<std::string> command) {
  return Subprocess(std::move(command)).wait();
}

}  // namespace livetls::test
