#include "tls/input_buffer.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

namespace livetls {
namespace {

constexpr std::size_t kSmall = 1024;
constexpr std::size_t kRecord = 16 * 1024;

void arrive(InputBuffer& buffer, std::size_t count) {
  ASSERT_GE(buffer.space().size(), count);
  buffer.commit(count);
}

void take_all(InputBuffer& buffer) {
  std::vector<std::uint8_t> taken(buffer.bytes().size());
  EXPECT_EQ(buffer.take(taken.data(), taken.size()), taken.size());
}

TEST(InputBufferTest, HoldsLittleWhileLittleComes) {
  InputBuffer buffer;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(buffer.space().size(), kSmall);
    arrive(buffer, 100);
    take_all(buffer);
  }
}

TEST(InputBufferTest, TakesWholeRecordsOnceMoreHasComeThanFits) {
  InputBuffer buffer;
  arrive(buffer, kSmall);
  take_all(buffer);
  EXPECT_GT(buffer.space().size(), kRecord);
}

TEST(InputBufferTest, GrowsWhereNothingHasBeenTaken) {
  InputBuffer buffer;
  arrive(buffer, kSmall);
  EXPECT_GT(buffer.space().size(), kRecord - kSmall);
  EXPECT_EQ(buffer.bytes().size(), kSmall);
}

TEST(InputBufferTest, GivesMemoryBackAfterSomeSmallArrivals) {
  InputBuffer buffer;
  arrive(buffer, kSmall);
  take_all(buffer);
  arrive(buffer, kRecord);
  take_all(buffer);
  for (int i = 0; i < 4; ++i) {
    EXPECT_GT(buffer.space().size(), kRecord) << "the end of a message may be small";
    arrive(buffer, 10);
    take_all(buffer);
  }
  EXPECT_EQ(buffer.space().size(), kSmall);
}

TEST(InputBufferTest, GivesMemoryBackAfterALongHandshake) {
  InputBuffer buffer;
  arrive(buffer, kSmall);
  EXPECT_GT(buffer.space().size(), kRecord - kSmall);
  arrive(buffer, 800);
  take_all(buffer);
  buffer.expect_little();
  EXPECT_EQ(buffer.space().size(), kSmall);
}

TEST(InputBufferTest, KeepsBytesInOrderThroughAllOfIt) {
  std::string sent(200'000, '\0');
  std::iota(sent.begin(), sent.end(), 0);
  InputBuffer buffer;
  std::string received;
  std::size_t at = 0;
  for (std::size_t step = 1; received.size() < sent.size(); step = (step * 7 + 3) % 4093 + 1) {
    const auto space = buffer.space();
    const std::size_t count = std::min({step * 5, space.size(), sent.size() - at});
    std::memcpy(space.data(), sent.data() + at, count);
    buffer.commit(count);
    at += count;
    std::string taken(step * 4, '\0');
    taken.resize(buffer.take(taken.data(), taken.size()));
    received += taken;
  }
  EXPECT_EQ(received, sent);
}

}  // namespace
}  // namespace livetls
