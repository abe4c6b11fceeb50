#pragma once

#include <cstdint>

namespace livetls::test {

/// System calls that a connection makes, counted on threads that ask for it.
struct CountedCalls {
  std::uint64_t accept = 0;
  std::uint64_t receive = 0;
  std::uint64_t send = 0;
  std::uint64_t watch = 0;    ///< epoll_ctl
  std::uint64_t timer = 0;    ///< timerfd_settime
  std::uint64_t control = 0;  ///< ioctl, fcntl and setsockopt
  std::uint64_t close = 0;    ///< of sockets
};

/// The calls of this thread are counted from now on.
void count_calls_of_this_thread();

/// Of all threads that are counted. They must have nothing to do meanwhile.
CountedCalls counted_calls();

}  // namespace livetls::test
