#include "dialer.hpp"

#include <gtest/gtest.h>

namespace livetls::node {
namespace {

using namespace std::chrono_literals;

TEST(ReconnectPause, DoublesUpToItsLimitAndIsShorterByChance) {
  const NodeOptions options{.reconnect_min = 100ms, .reconnect_max = 1s};
  EXPECT_EQ(reconnect_pause(options, 0, 0), 100ms);
  EXPECT_EQ(reconnect_pause(options, 1, 0), 200ms);
  EXPECT_EQ(reconnect_pause(options, 3, 0), 800ms);
  EXPECT_EQ(reconnect_pause(options, 4, 0), 1s);
  EXPECT_EQ(reconnect_pause(options, 1'000'000, 0), 1s);
  EXPECT_EQ(reconnect_pause(options, 4, 255), 500ms);
  EXPECT_LT(reconnect_pause(options, 4, 200), reconnect_pause(options, 4, 100));
}

}  // namespace
}  // namespace livetls::node
