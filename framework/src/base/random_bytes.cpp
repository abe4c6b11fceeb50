#include "livetls/base/random_bytes.hpp"

#include <sys/random.h>

#include <cerrno>
#include <system_error>

namespace livetls {

void random_bytes(std::span<std::uint8_t> into) {
  while (!into.empty()) {
    const ssize_t count = ::getrandom(into.data(), into.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw std::system_error(errno, std::system_category(), "getrandom");
    into = into.subspan(static_cast<std::size_t>(count));
  }
}

}  // namespace livetls
