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

/// Reads until the end, or until `bytes` is full.
Result<std::size_t> read_up_to_end(int descriptor, SecretBytes& bytes) {
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const auto count = ::read(descriptor, bytes.data() + filled, bytes.size() - filled);
    if (count == 0) break;
    if (count > 0) {
      filled += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      return unreadable(errno);
    }
  }
  return filled;
}

}  // namespace

Result<SecretBytes> read_file(const std::filesystem::path& file, std::size_t limit) {
  const Descriptor descriptor(file);
  if (descriptor.get() < 0) return unreadable(errno);

  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) return unreadable(errno);
  if (S_ISDIR(status.st_mode)) return unreadable(EISDIR);
  if (!S_ISREG(status.st_mode)) return Error{Errc::file_unreadable, "not a regular file"};
  if (static_cast<std::size_t>(status.st_size) > limit) return Errc::input_too_large;

  // The file may grow while it is read, and some report no size: the limit is what counts.
  SecretBytes bytes(limit + 1);
  const auto size = read_up_to_end(descriptor.get(), bytes);
  if (!size) return size.error();
  if (*size > limit) return Errc::input_too_large;
  bytes.resize(*size);
  return bytes;
}

}  // namespace livetls
