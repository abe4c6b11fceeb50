#include "outbox.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace livetls::node {
namespace {

class OutboxTest : public testing::Test {
 protected:
  static constexpr std::size_t kMaxBytes = 10'000;

  Outbox::Put put(FrameKind kind, std::uint32_t stream, std::string payload) {
    Frame frame{.kind = kind, .stream = stream, .payload = std::move(payload)};
    return outbox_.put(frame);
  }

  Outbox::Put put_message(std::uint32_t stream, std::string payload) {
    return put(FrameKind::message, stream, std::move(payload));
  }

  /// The payloads of what is taken at once.
  std::vector<std::string> take(std::size_t max_bytes) {
    std::vector<std::string> payloads;
    std::string bytes = outbox_.take(max_bytes);
    tcp::Framer framer(frame_framing(1 << 24));
    while (!bytes.empty()) {
      const auto frame = framer.find(bytes).value().value();
      payloads.push_back(parse_frame(bytes.substr(frame.header, frame.payload)).value().payload);
      bytes.erase(0, frame.size());
    }
    return payloads;
  }

  int woken_ = 0;
  Outbox outbox_{kMaxBytes, [this] { ++woken_; }};
};

using Payloads = std::vector<std::string>;

TEST_F(OutboxTest, KeepsOrderWithinAStreamAndTakesTurnsBetween) {
  for (const char* payload : {"a1", "a2", "a3"}) put_message(1, payload);
  put_message(2, "b1");
  EXPECT_EQ(take(1000), (Payloads{"a1", "b1", "a2", "a3"}));
  EXPECT_EQ(take(1000), Payloads{});
}

TEST_F(OutboxTest, TakesNoMoreThanAsked) {
  put_message(1, "a1");
  put_message(1, "a2");
  EXPECT_EQ(take(1), Payloads{"a1"});
  EXPECT_EQ(take(1), Payloads{"a2"});
}

TEST_F(OutboxTest, WakesOnlyWhoFoundNothing) {
  put_message(1, "a");
  EXPECT_EQ(woken_, 0);
  take(1000);
  take(1000);
  put_message(1, "b");
  put_message(1, "c");
  EXPECT_EQ(woken_, 1);
}

TEST_F(OutboxTest, HoldsBackWhatThereIsNoCreditFor) {
  Outbox outbox(64 << 20, [this] { ++woken_; });
  Frame large{.kind = FrameKind::message, .payload = std::string(kInitialCredit, 'x')};
  Frame next{.kind = FrameKind::message, .payload = "next"};
  Frame reply{.kind = FrameKind::reply, .payload = "reply"};
  outbox.put(large);
  outbox.put(next);
  EXPECT_GT(outbox.take(1 << 24).size(), 1U << 20) << "the first spends more than there is";
  outbox.put(reply);
  EXPECT_EQ(parse_frame(outbox.take(1 << 24).substr(4)).value().payload, "reply");
  EXPECT_EQ(outbox.take(1 << 24), "");
  EXPECT_FALSE(outbox.is_empty());
  woken_ = 0;
  outbox.grant(1000);
  EXPECT_EQ(woken_, 1);
  EXPECT_EQ(parse_frame(outbox.take(1 << 24).substr(4)).value().payload, "next");
  EXPECT_TRUE(outbox.is_empty());
}

TEST_F(OutboxTest, IsFullAtItsLimitButNotForReplies) {
  EXPECT_EQ(put_message(1, std::string(kMaxBytes - 300, 'x')), Outbox::Put::done);
  EXPECT_EQ(put_message(2, std::string(300, 'x')), Outbox::Put::full);
  EXPECT_EQ(put(FrameKind::reply, 0, std::string(kMaxBytes, 'x')), Outbox::Put::done);
  take(1 << 20);
  EXPECT_EQ(put_message(2, std::string(2 * kMaxBytes, 'x')), Outbox::Put::done)
      << "one that is larger alone than the limit must go, too";
}

TEST_F(OutboxTest, SaysWhenAnswersAreTooMany) {
  EXPECT_TRUE(outbox_.has_room_for_answers());
  Frame reply{.kind = FrameKind::reply, .payload = std::string(kMaxBytes, 'x')};
  EXPECT_EQ(outbox_.put(reply), Outbox::Put::done);
  EXPECT_FALSE(outbox_.has_room_for_answers());
  EXPECT_TRUE(outbox_.has_room(1)) << "messages are counted by themselves";
  outbox_.take(kMaxBytes);
  EXPECT_TRUE(outbox_.has_room_for_answers());
}

TEST_F(OutboxTest, ClosesInTwoSteps) {
  put_message(1, "a");
  outbox_.close_to_new();
  EXPECT_EQ(put_message(1, "b"), Outbox::Put::closed);
  EXPECT_EQ(put(FrameKind::reply, 0, "r"), Outbox::Put::done);
  EXPECT_EQ(take(1000), (Payloads{"a", "r"}));
  put(FrameKind::reply, 0, "s");
  outbox_.close();
  EXPECT_EQ(put(FrameKind::reply, 0, "t"), Outbox::Put::closed);
  EXPECT_EQ(take(1000), Payloads{});
}

}  // namespace
}  // namespace livetls::node
