#pragma once

#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace livetls::test {

struct ShellResult {
  int status = 0;      ///< as waitpid reports it: 0 is success
  std::string output;  ///< standard output and standard error together
};

/// Runs a shell command in a directory and waits for it.
inline ShellResult run_shell(const std::filesystem::path& directory, const std::string& command) {
  const std::string line = "cd '" + directory.string() + "' && { " + command + "; } 2>&1";
  FILE* pipe = ::popen(line.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("popen failed");
  ShellResult result;
  char buffer[4096];
  while (const auto count = std::fread(buffer, 1, sizeof buffer, pipe)) {
    result.output.append(buffer, count);
  }
  result.status = ::pclose(pipe);
  return result;
}

/// The output of a command that must succeed.
inline std::string must_run(const std::filesystem::path& directory, const std::string& command) {
  auto result = run_shell(directory, command);
  if (result.status != 0) throw std::runtime_error(command + " failed:\n" + result.output);
  return result.output;
}

}  // namespace livetls::test
