#include "pki/read_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace livetls {
namespace {

class Descriptor {
 public:
  explicit Descriptor(const std::filesystem::path& file)
      : value_(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const noexcept { return value_; }

 private:
  int value_;
};

Error unreadable(int error) {
  return {Errc::file_unreadable, std::generic_category().message(error)};
}

/// `expected` is only a hint: a file may grow while it is read, and some report no size.
Result<SecretBytes> read_up_to_end(int descriptor, std::size_t expected, std::size_t limit) {
  SecretBytes bytes(expected + 1);
  std::size_t filled = 0;
  for (;;) {
    if (filled > limit) return Errc::input_too_large;
    if (filled == bytes.size()) bytes.resize(limit + 1);
    const auto count = ::read(descriptor, bytes.data() + filled, bytes.size() - filled);
    if (count == 0) break;
    if (count > 0) {
      filled += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      return unreadable(errno);
    }
  }
  bytes.resize(filled);
  return bytes;
}

}  // namespace

Result<SecretBytes> read_file(const std::filesystem::path& file, std::size_t limit) {
  const Descriptor descriptor(file);
  if (descriptor.get() < 0) return unreadable(errno);

  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) return unreadable(errno);
  if (S_ISDIR(status.st_mode)) return unreadable(EISDIR);
  if (!S_ISREG(status.st_mode)) return Error{Errc::file_unreadable, "not a regular file"};
  const auto expected = static_cast<std::size_t>(status.st_size);
  if (expected > limit) return Errc::input_too_large;
  return read_up_to_end(descriptor.get(), expected, limit);
}

std::string shown_name(const std::filesystem::path& file) {
  const bool is_pem = file.native().find("-----BEGIN ") != file.native().npos;
  return is_pem ? "PEM text where the name of a file belongs" : file.string();
}

}  // namespace livetls
