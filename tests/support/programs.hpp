#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "support/subprocess.hpp"

namespace livetls::test {

/// A program of the project's: it is beside the one that asks.
inline std::string built_program(const std::string& name) {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / name).string();
}

/// Those that are not there are what `./dev setup --clients` installs.
inline bool is_installed(const std::string& program) {
  return run({"bash", "-c", "command -v " + program}).exit_code == 0;
}

/// curl against a server of this machine. It trusts the given root only.
inline std::vector<std::string> curl(const std::string& root_file, const std::string& url,
                                     std::vector<std::string> options = {}) {
  std::vector<std::string> command = {"curl",       "--silent", "--show-error", "--noproxy", "*",
                                      "--max-time", "20",       "--cacert",     root_file};
  command.insert(command.end(), options.begin(), options.end());
  command.push_back(url);
  return command;
}

/// openssl's client, which ends where the certificate does not verify. What it sends and gets is
/// its input and output; what it thinks of the certificate comes before.
inline std::vector<std::string> s_client(const std::string& root_file, std::uint16_t port,
                                         std::vector<std::string> options = {}) {
  std::vector<std::string> command = {"openssl",
                                      "s_client",
                                      "-quiet",
                                      "-no_ign_eof",
                                      "-connect",
                                      "127.0.0.1:" + std::to_string(port),
                                      "-servername",
                                      "localhost",
                                      "-verify_hostname",
                                      "localhost",
                                      "-verify_return_error",
                                      "-CAfile",
                                      root_file};
  command.insert(command.end(), options.begin(), options.end());
  return command;
}

}  // namespace livetls::test
