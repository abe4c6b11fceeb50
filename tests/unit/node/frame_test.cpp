#include "frame.hpp"

#include <gtest/gtest.h>

#include "livetls/node/error.hpp"

namespace livetls::node {
namespace {

Frame some_frame() {
  return {.kind = FrameKind::request,
          .is_json = true,
          .stream = 0x01020304,
          .id = 0x0102030405060708,
          .service = "add",
          .payload = "[1,2]"};
}

std::string without_length(const Frame& frame) {
  std::string bytes;
  append(frame, bytes);
  return bytes.substr(4);
}

TEST(NodeFrame, ComesAcross) {
  EXPECT_EQ(parse_frame(without_length(some_frame())).value(), some_frame());
  EXPECT_EQ(parse_frame(without_length({.kind = FrameKind::fin})).value().kind, FrameKind::fin);
}

TEST(NodeFrame, IsCutAsItsLengthSays) {
  std::string bytes;
  append(some_frame(), bytes);
  append(some_frame(), bytes);
  tcp::Framer framer(frame_framing(100));
  const auto first = framer.find(bytes).value();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->size(), bytes.size() / 2);
}

TEST(NodeFrame, RefusesWhatIsNone) {
  const std::string whole = without_length(some_frame());
  for (std::size_t size = 0; size < 18; ++size) {
    EXPECT_EQ(parse_frame(whole.substr(0, size)).error().code, NodeErrc::protocol_violation)
        << size;
  }
  for (const std::size_t place : {0U, 1U}) {  // kind and flags
    std::string spoilt = whole;
    spoilt[place] = '\x7f';
    EXPECT_FALSE(parse_frame(spoilt));
  }
}

}  // namespace
}  // namespace livetls::node
