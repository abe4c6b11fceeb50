// What the kernel is told of TCP connections, accepted and made.

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <filesystem>

#include "livetls/net/connector.hpp"
#include "livetls/tcp/server.hpp"
#include "support/running_runtime.hpp"

namespace livetls {
namespace {

int option(int socket, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  ::getsockopt(socket, level, name, &value, &size);
  return value;
}

/// Of the sockets of this process that are connected.
std::vector<int> connected_sockets() {
  std::vector<int> sockets;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename().string());
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    const bool is_connected = ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0;
    if (is_connected && (peer.ss_family == AF_INET || peer.ss_family == AF_INET6)) {
      sockets.push_back(fd);
    }
  }
  return sockets;
}

class TcpOptionsTest : public testing::Test {
 protected:
  static Task<void> wait_for_the_end(Connection& connection) {
    const auto sent = co_await connection.write("x");
    char byte;
    if (sent) co_await connection.read_some(boost::asio::buffer(&byte, 1));
  }

  Task<Result<std::unique_ptr<Connection>>> connect(Connector& connector, Target target) {
    auto made = co_await connector.connect(std::move(target));
    char byte;
    if (made) co_await (*made)->read_some(boost::asio::buffer(&byte, 1));  // it was accepted
    co_return made;
  }

  void expect_both(const TcpOptions& options, int no_delay, int keep_alive, int idle) {
    const tcp::Server server(runtime_, nullptr, wait_for_the_end, {.tcp = options, .plain = true});
    Connector connector(nullptr, {.plain = true, .tcp = options});
    const auto made = boost::asio::co_spawn(runtime_->executor(0),
                                            connect(connector, {"localhost", server.port()}),
                                            boost::asio::use_future)
                          .get();
    ASSERT_TRUE(made);
    const auto sockets = connected_sockets();
    EXPECT_EQ(sockets.size(), 2U);
    for (const int socket : sockets) {
      EXPECT_EQ(option(socket, IPPROTO_TCP, TCP_NODELAY) != 0, no_delay != 0);
      EXPECT_EQ(option(socket, SOL_SOCKET, SO_KEEPALIVE) != 0, keep_alive != 0);
      if (keep_alive != 0) {
        EXPECT_EQ(option(socket, IPPROTO_TCP, TCP_KEEPIDLE), idle);
        EXPECT_EQ(option(socket, IPPROTO_TCP, TCP_KEEPINTVL), 7);
        EXPECT_EQ(option(socket, IPPROTO_TCP, TCP_KEEPCNT), 5);
      }
    }
    (*made)->cut();
  }

  test::RunningRuntime runtime_;
};

TEST_F(TcpOptionsTest, AreThoseOfBothEnds) {
  expect_both({}, 1, 0, 0);
  expect_both({.no_delay = false,
               .keep_alive_idle = std::chrono::seconds(60),
               .keep_alive_interval = std::chrono::seconds(7),
               .keep_alive_probes = 5},
              0, 1, 60);
}

TEST_F(TcpOptionsTest, MustBeInRange) {
  for (const TcpOptions& options : {TcpOptions{.keep_alive_idle = std::chrono::seconds(-1)},
                                    TcpOptions{.keep_alive_interval = std::chrono::seconds(0)},
                                    TcpOptions{.keep_alive_probes = 128}}) {
    EXPECT_THROW(Connector(nullptr, {.plain = true, .tcp = options}), std::invalid_argument);
    EXPECT_THROW(tcp::Server(runtime_, nullptr, wait_for_the_end, {.tcp = options, .plain = true}),
                 std::invalid_argument);
  }
}

}  // namespace
}  // namespace livetls
