#include "load_process.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <cstdlib>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

namespace livetls::demo {
namespace {

[[noreturn]] void exec(char** argv, const int (&ends)[2]) {
  dup2(ends[1], STDOUT_FILENO);
  ::close(ends[0]);
  ::close(ends[1]);
  execv("/proc/self/exe", argv);
  _exit(127);
}

}  // namespace

LoadProcess::LoadProcess(const LoadOptions& options) {
  const std::vector<std::string> arguments = {
      "livetls_demo",
      "--load",
      "--seconds=" + std::to_string(std::chrono::duration<double>(options.duration).count()),
      "--load-report-ms=" + std::to_string(options.report_every.count()),
      "--connections=" + std::to_string(options.connections),
      "--kept=" + std::to_string(options.kept),
      "--load-https-port=" + std::to_string(options.https_port),
      "--load-tcp-port=" + std::to_string(options.tcp_port),
      "--load-ca=" + options.ca_file};
  // Made before the fork: between fork and exec, a process with threads must not allocate.
  std::vector<char*> argv;
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  int ends[2];
  if (pipe(ends) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  pid_ = fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) exec(argv.data(), ends);
  ::close(ends[1]);
  output_ = fdopen(ends[0], "r");
}

LoadProcess::~LoadProcess() {
  fclose(output_);
  if (pid_ > 0) waitpid(pid_, nullptr, 0);
}

boost::json::value LoadProcess::next() {
  char* line = nullptr;
  std::size_t capacity = 0;
  const ssize_t size = getline(&line, &capacity, output_);
  const std::unique_ptr<char, decltype(&std::free)> owner(line, &std::free);
  return size <= 0 ? boost::json::value() : boost::json::parse(line);
}

bool LoadProcess::succeeded() {
  int status = 0;
  waitpid(std::exchange(pid_, -1), &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace livetls::demo
