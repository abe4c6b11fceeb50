#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace livetls::demo {

/// A temporary file for other programs to read, gone with the object.
class PemFile {
 public:
  explicit PemFile(std::string_view pem)
      : path_(std::filesystem::temp_directory_path() / "livetls-demo-ca-XXXXXX") {
    const int descriptor = mkstemp(path_.data());
    if (descriptor < 0) throw std::runtime_error("no temporary file can be made: " + path_);
    ::close(descriptor);
    std::ofstream(path_) << pem;
  }
  PemFile(const PemFile&) = delete;
  PemFile& operator=(const PemFile&) = delete;
  ~PemFile() { ::unlink(path_.c_str()); }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace livetls::demo
