#include "server_process.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/algorithm/string/replace.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace livetls::bench {
namespace {

namespace fs = std::filesystem;
using boost::asio::ip::tcp;

constexpr auto kStartTimeout = std::chrono::seconds(10);

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }

std::string read_file(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::uint16_t free_port() {
  boost::asio::io_context io;
  return tcp::acceptor(io, {boost::asio::ip::address_v4::loopback(), 0}).local_endpoint().port();
}

bool accepts(std::uint16_t port) {
  boost::asio::io_context io;
  boost::system::error_code error;
  tcp::socket(io).connect({boost::asio::ip::address_v4::loopback(), port}, error);
  return !error;
}

/// The first child, once there is one.
pid_t child_of(pid_t pid) {
  pid_t child = 0;
  std::istringstream(
      read_file("/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children")) >>
      child;
  return child;
}

}  // namespace

void pin_to(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) {
    fail("processor " + std::to_string(processor) + " cannot be used alone");
  }
}

ServerProcess ServerProcess::fork_of(
    int processor, const std::function<void(std::function<void(std::uint16_t)>)>& serve) {
  int ends[2];
  if (pipe(ends) != 0) fail("pipe");
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::close(ends[0]);
    pin_to(processor);
    serve([&](std::uint16_t port) {
      if (::write(ends[1], &port, sizeof port) != sizeof port) _exit(1);
    });
    _exit(0);
  }
  ::close(ends[1]);
  std::uint16_t port = 0;
  const bool started = ::read(ends[0], &port, sizeof port) == sizeof port;
  ::close(ends[0]);
  ServerProcess process(pid, pid, port);
  if (!started) fail("the server did not start");
  return process;
}

ServerProcess ServerProcess::nginx(int processor, const fs::path& directory,
                                   const fs::path& conf_template) {
  const std::uint16_t port = free_port();
  std::string conf = read_file(conf_template);
  boost::replace_all(conf, "@port@", std::to_string(port));
  boost::replace_all(conf, "@dir@", directory.string());
  const fs::path conf_file = directory / "nginx.conf";
  std::ofstream(conf_file) << conf;

  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    pin_to(processor);
    for (const char* program : {"nginx", "/usr/sbin/nginx"}) {
      execlp(program, "nginx", "-c", conf_file.c_str(), "-p", directory.c_str(), nullptr);
    }
    _exit(127);
  }
  ServerProcess process(pid, pid, port);
  const auto give_up = std::chrono::steady_clock::now() + kStartTimeout;
  while (!accepts(port) || (process.serving_pid_ = child_of(pid)) == 0) {
    if (waitpid(pid, nullptr, WNOHANG) == pid || std::chrono::steady_clock::now() > give_up) {
      fail("nginx did not start; is it installed?");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return process;
}

ServerProcess::ServerProcess(ServerProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), serving_pid_(other.serving_pid_), port_(other.port_) {}

ServerProcess::~ServerProcess() {
  if (pid_ <= 0) return;
  kill(pid_, SIGTERM);
  waitpid(pid_, nullptr, 0);
}

std::chrono::nanoseconds ServerProcess::cpu_time() const {
  std::chrono::nanoseconds sum{};
  for (const auto& task :
       fs::directory_iterator("/proc/" + std::to_string(serving_pid_) + "/task")) {
    std::uint64_t on_cpu = 0;
    std::ifstream(task.path() / "schedstat") >> on_cpu;
    sum += std::chrono::nanoseconds(on_cpu);
  }
  return sum;
}

std::uint64_t ServerProcess::resident_kib() const {
  std::istringstream status(read_file("/proc/" + std::to_string(serving_pid_) + "/status"));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoull(line.substr(6));
  }
  fail("the server has ended");
}

}  // namespace livetls::bench
