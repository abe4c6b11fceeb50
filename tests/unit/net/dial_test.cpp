#include "net/dial.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>

#include "livetls/net/socket.hpp"
#include "support/deaf.hpp"

namespace livetls {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;

tcp::endpoint endpoint(const char* address, std::uint16_t port = 1) {
  return {asio::ip::make_address(address), port};
}

class DialTest : public testing::Test {
 protected:
  Task<void> connect(std::vector<StreamSocket::endpoint_type> endpoints, DialTimes times) {
    auto socket = co_await connect_to_first(std::move(endpoints), times);
    if (socket) {
      connected_ = socket->remote_endpoint();
    } else {
      error_ = socket.error().code;
    }
  }

  void connect_to(std::vector<StreamSocket::endpoint_type> endpoints, DialTimes times) {
    asio::co_spawn(context_, connect(std::move(endpoints), times), asio::detached);
    context_.run();
  }

  asio::io_context context_;
  const test::Deaf silent_;
  tcp::acceptor acceptor_{context_, endpoint("127.0.0.1", 0)};
  const tcp::endpoint listening_ = acceptor_.local_endpoint();
  const tcp::endpoint deaf_ = endpoint("127.0.0.1", silent_.port());
  const tcp::endpoint refusing_ = endpoint("127.0.0.1");
  std::optional<StreamSocket::endpoint_type> connected_;
  boost::system::error_code error_;
};

TEST_F(DialTest, AddressesOfBothFamiliesComeByTurns) {
  const auto a4 = endpoint("192.0.2.1"), b4 = endpoint("192.0.2.2"), c4 = endpoint("192.0.2.3");
  const auto a6 = endpoint("2001:db8::1"), b6 = endpoint("2001:db8::2");
  using Turns = std::vector<StreamSocket::endpoint_type>;
  EXPECT_EQ(by_turns({a6, b6, a4, b4, c4}), (Turns{a6, a4, b6, b4, c4}));
  EXPECT_EQ(by_turns({a4, a6}), (Turns{a4, a6}));
  EXPECT_EQ(by_turns({}), Turns());
}

TEST_F(DialTest, TheNextIsTriedWhileTheFirstIsSilent) {
  connect_to({deaf_, listening_}, {.timeout = 1h, .attempt_delay = 1ms});
  EXPECT_EQ(connected_, StreamSocket::endpoint_type(listening_));
}

TEST_F(DialTest, TheNextIsTriedAtOnceWhereTheFirstRefuses) {
  connect_to({refusing_, listening_}, {.timeout = 1h, .attempt_delay = 1h});
  EXPECT_EQ(connected_, StreamSocket::endpoint_type(listening_));
}

TEST_F(DialTest, TheLastErrorIsTold) {
  connect_to({refusing_, refusing_}, {.timeout = 1h, .attempt_delay = 1ms});
  EXPECT_EQ(error_, asio::error::connection_refused);
}

TEST_F(DialTest, AllTogetherHaveSoMuchTime) {
  connect_to({deaf_, deaf_}, {.timeout = 20ms, .attempt_delay = 1ms});
  EXPECT_EQ(error_, asio::error::timed_out);
}

}  // namespace
}  // namespace livetls
