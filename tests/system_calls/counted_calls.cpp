// Takes the place of the C library's functions for this program: Asio's, which are templates in
// headers, are then these.

#include "system_calls/counted_calls.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <atomic>
#include <cstdarg>

namespace livetls::test {
namespace {

struct Counters {
  std::atomic<std::uint64_t> accept, receive, send, watch, timer, control, close;
};

Counters counters;
thread_local bool is_counted = false;

void count(std::atomic<std::uint64_t>& counter) {
  if (is_counted) ++counter;
}

}  // namespace

void count_calls_of_this_thread() { is_counted = true; }

CountedCalls counted_calls() {
  return {.accept = counters.accept,
          .receive = counters.receive,
          .send = counters.send,
          .watch = counters.watch,
          .timer = counters.timer,
          .control = counters.control,
          .close = counters.close};
}

}  // namespace livetls::test

using livetls::test::count;
using livetls::test::counters;

extern "C" {

int accept(int fd, sockaddr* address, socklen_t* size) {
  const long accepted = syscall(SYS_accept, fd, address, size);
  if (accepted >= 0) count(counters.accept);
  return static_cast<int>(accepted);
}

ssize_t recv(int fd, void* into, size_t size, int flags) {
  count(counters.receive);
  return syscall(SYS_recvfrom, fd, into, size, flags, nullptr, nullptr);
}

ssize_t recvmsg(int fd, msghdr* message, int flags) {
  count(counters.receive);
  return syscall(SYS_recvmsg, fd, message, flags);
}

ssize_t send(int fd, const void* from, size_t size, int flags) {
  count(counters.send);
  return syscall(SYS_sendto, fd, from, size, flags, nullptr, 0);
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  count(counters.send);
  return syscall(SYS_sendmsg, fd, message, flags);
}

int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  count(counters.watch);
  return static_cast<int>(syscall(SYS_epoll_ctl, epoll, operation, fd, event));
}

int timerfd_settime(int fd, int flags, const itimerspec* next, itimerspec* before) noexcept {
  count(counters.timer);
  return static_cast<int>(syscall(SYS_timerfd_settime, fd, flags, next, before));
}

int setsockopt(int fd, int level, int name, const void* value, socklen_t size) noexcept {
  count(counters.control);
  return static_cast<int>(syscall(SYS_setsockopt, fd, level, name, value, size));
}

int ioctl(int fd, unsigned long request, ...) noexcept {
  count(counters.control);
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  return static_cast<int>(syscall(SYS_ioctl, fd, request, argument));
}

int close(int fd) {
  struct stat status {};
  // The packaged wolfSSL opens the kernel's random device for every session.
  if (fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode)) count(counters.close);
  return static_cast<int>(syscall(SYS_close, fd));
}

}  // extern "C"
