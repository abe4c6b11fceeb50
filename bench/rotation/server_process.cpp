#include "server_process.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

namespace livetls::bench {
namespace {

namespace fs = std::filesystem;
using boost::asio::ip::tcp;
using Clock = std::chrono::steady_clock;

constexpr auto kStartTimeout = std::chrono::seconds(10);
constexpr auto kEndTimeout = std::chrono::seconds(5);

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }

std::string read_file(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

bool accepts(std::uint16_t port) {
  boost::asio::io_context io;
  boost::system::error_code error;
  tcp::socket(io).connect({boost::asio::ip::address_v4::loopback(), port}, error);
  return !error;
}

fs::path proc(pid_t pid) { return "/proc/" + std::to_string(pid); }

std::chrono::nanoseconds cpu_time_of(pid_t pid) {
  std::chrono::nanoseconds sum{};
  std::error_code ended;
  for (fs::directory_iterator task(proc(pid) / "task", ended), end; !ended && task != end;
       task.increment(ended)) {
    std::uint64_t on_cpu = 0;
    std::ifstream(task->path() / "schedstat") >> on_cpu;
    sum += std::chrono::nanoseconds(on_cpu);
  }
  return sum;
}

/// Of all children that have ended and been waited for: cutime and cstime of proc(5).
std::chrono::nanoseconds cpu_time_of_ended_children(pid_t pid) {
  const std::string stat = read_file(proc(pid) / "stat");
  const auto name_end = stat.rfind(')');
  if (name_end == std::string::npos) fail("the server has ended");
  std::istringstream fields(stat.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 16; ++field) fields >> skipped;
  std::uint64_t user = 0;
  std::uint64_t system = 0;
  fields >> user >> system;
  static const auto kTick =
      std::chrono::nanoseconds(std::chrono::seconds(1)) / sysconf(_SC_CLK_TCK);
  return (user + system) * kTick;
}

/// The sum of what `file` of these processes says after `label`, in KiB.
std::uint64_t memory_of(const std::vector<pid_t>& pids, const char* file, std::string_view label) {
  std::uint64_t sum = 0;
  for (const pid_t pid : pids) {
    std::ifstream lines(proc(pid) / file);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(label)) sum += std::stoull(line.substr(label.size()));
    }
  }
  if (sum == 0) fail("the server has ended");
  return sum;
}

/// A child bound to the processor, that ends with the thread which calls this.
pid_t fork_child(int processor, int death_signal, const std::function<void()>& run) {
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) fail("fork");
  if (pid > 0) return pid;
  try {
    prctl(PR_SET_PDEATHSIG, death_signal);
    if (getppid() != parent) _exit(1);
    pin_to(processor);
    run();
    _exit(0);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    _exit(1);
  }
}

[[noreturn]] void execute(const ServerProcess::Command& command, const fs::path& program) {
  const int output = open(command.output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  std::vector<std::string> environment = command.environment;
  for (auto& variable : environment) putenv(variable.data());
  std::vector<char*> arguments;
  for (const auto& argument : command.arguments) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  execv(program.c_str(), arguments.data());
  _exit(127);
}

}  // namespace

void pin_to(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (processor == kAnyProcessor || i == processor) CPU_SET(i, &set);
  }
  if (sched_setaffinity(0, sizeof set, &set) != 0) {
    fail("processor " + std::to_string(processor) + " cannot be used alone");
  }
}

fs::path find_program(const std::string& name) {
  if (name.empty()) return {};
  if (name.find('/') != std::string::npos) return fs::exists(name) ? fs::path(name) : fs::path();
  const char* const path = std::getenv("PATH");
  std::istringstream places(std::string(path != nullptr ? path : "") +
                            ":/usr/local/sbin:/usr/sbin");
  for (std::string place; std::getline(places, place, ':');) {
    const fs::path program = fs::path(place) / name;
    if (access(program.c_str(), X_OK) == 0) return program;
  }
  return {};
}

ServerProcess ServerProcess::fork_of(
    int processor, const std::function<void(std::function<void(std::uint16_t)>)>& serve) {
  int ends[2];
  if (pipe(ends) != 0) fail("pipe");
  const pid_t pid = fork_child(processor, SIGKILL, [&] {
    ::close(ends[0]);
    serve([&](std::uint16_t port) {
      if (::write(ends[1], &port, sizeof port) != sizeof port) _exit(1);
    });
  });
  ::close(ends[1]);
  std::uint16_t port = 0;
  const bool started = ::read(ends[0], &port, sizeof port) == sizeof port;
  ::close(ends[0]);
  ServerProcess process(pid, port);
  if (!started) fail("the server did not start");
  return process;
}

ServerProcess ServerProcess::run(int processor, std::uint16_t port, const Command& command) {
  const std::string& name = command.arguments.front();
  const fs::path program = find_program(name);
  if (program.empty()) fail(name + " is not installed");
  ServerProcess process(fork_child(processor, SIGTERM, [&] { execute(command, program); }), port);
  const auto give_up = Clock::now() + kStartTimeout;
  while (!accepts(port)) {
    if (process.has_ended() || Clock::now() > give_up) {
      fail(name + " did not start: " + read_file(command.output));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return process;
}

ServerProcess::ServerProcess(ServerProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), port_(other.port_) {}

ServerProcess::~ServerProcess() {
  if (pid_ <= 0) return;
  kill(pid_, SIGTERM);
  const auto give_up = Clock::now() + kEndTimeout;
  while (!has_ended()) {
    if (Clock::now() > give_up) kill(pid_, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

bool ServerProcess::has_ended() {
  if (pid_ > 0 && waitpid(pid_, nullptr, WNOHANG) != 0) pid_ = -1;
  return pid_ <= 0;
}

void ServerProcess::signal(int number) const {
  if (pid_ > 0) kill(pid_, number);
}

std::vector<pid_t> ServerProcess::workers() const {
  std::istringstream children(read_file(proc(pid_) / "task" / std::to_string(pid_) / "children"));
  std::vector<pid_t> pids;
  for (pid_t pid = 0; children >> pid;) pids.push_back(pid);
  return pids;
}

std::chrono::nanoseconds ServerProcess::cpu_time() const {
  for (;;) {
    const auto workers_before = workers();
    const auto ended_before = cpu_time_of_ended_children(pid_);
    auto sum = ended_before + cpu_time_of(pid_);
    for (const pid_t worker : workers_before) sum += cpu_time_of(worker);
    // Otherwise one that ended meanwhile is in both sums, or in neither.
    if (workers() == workers_before && cpu_time_of_ended_children(pid_) == ended_before) return sum;
  }
}

std::uint64_t ServerProcess::resident_kib() const {
  const auto pids = workers();
  return memory_of(pids.empty() ? std::vector{pid_} : pids, "status", "VmRSS:");
}

}  // namespace livetls::bench
