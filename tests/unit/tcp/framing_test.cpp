#include "livetls/tcp/framing.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

namespace livetls::tcp {
namespace {

using namespace std::string_literals;

/// The messages in a stream that arrives in pieces, and at the end what is wrong with it.
struct Cut {
  std::vector<std::string> messages;
  std::string rest;
  boost::system::error_code error;
};

Cut cut(const Framing& framing, std::string_view stream, std::size_t piece) {
  Framer framer(framing);
  Cut result;
  while (!stream.empty()) {
    result.rest += stream.substr(0, piece);
    stream.remove_prefix(std::min(piece, stream.size()));
    while (true) {
      const auto found = framer.find(result.rest);
      if (!found) {
        result.error = found.error().code;
        return result;
      }
      if (!*found) break;
      const Framer::Frame& frame = **found;
      result.messages.push_back(result.rest.substr(frame.header, frame.payload));
      result.rest.erase(0, frame.size());
    }
  }
  return result;
}

/// However it arrives.
Cut cut(const Framing& framing, std::string_view stream) {
  const Cut whole = cut(framing, stream, stream.size());
  for (std::size_t piece = 1; piece < stream.size(); ++piece) {
    const Cut in_pieces = cut(framing, stream, piece);
    EXPECT_EQ(in_pieces.messages, whole.messages) << piece;
    EXPECT_EQ(in_pieces.error, whole.error) << piece;
  }
  return whole;
}

using Messages = std::vector<std::string>;

TEST(Framer, TakesWhatHasArrivedAsAMessageWhereNothingElseIsSaid) {
  EXPECT_EQ(cut(Raw{}, "abc", 3).messages, Messages{"abc"});
  EXPECT_EQ(cut(Raw{.max_bytes = 2}, "abc", 3).messages, (Messages{"ab", "c"}));
}

TEST(Framer, CutsMessagesOfOneLength) {
  EXPECT_EQ(cut(FixedLength{3}, "abcdefgh").messages, (Messages{"abc", "def"}));
}

TEST(Framer, ReadsTheLengthOfEveryWidthAndOrder) {
  const auto big = [](std::size_t bytes) {
    return cut(LengthField{.bytes = bytes}, std::string(bytes - 1, '\0') + "\3abc").messages;
  };
  const auto little = [](std::size_t bytes) {
    const LengthField field{.bytes = bytes, .order = ByteOrder::little_endian};
    return cut(field, "\3" + std::string(bytes - 1, '\0') + "abc").messages;
  };
  for (const std::size_t bytes : {1U, 2U, 4U, 8U}) {
    EXPECT_EQ(big(bytes), Messages{"abc"}) << bytes;
    EXPECT_EQ(little(bytes), Messages{"abc"}) << bytes;
  }
  const std::string long_one(0x1234, 'x');
  EXPECT_EQ(cut(LengthField{.bytes = 2}, "\x12\x34" + long_one, 1000).messages, Messages{long_one});
}

TEST(Framer, FindsTheLengthAnywhereInAHeader) {
  const LengthField field{.bytes = 1, .position = 2, .header_bytes = 4};
  EXPECT_EQ(cut(field, "hh\2habhh\1hc").messages, (Messages{"ab", "c"}));
  const LengthField counting{.bytes = 1, .position = 2, .header_bytes = 4, .counts_header = true};
  EXPECT_EQ(cut(counting, "hh\6habhh\5hc").messages, (Messages{"ab", "c"}));
}

TEST(Framer, CutsLines) {
  EXPECT_EQ(cut(Delimiter{}, "a\n\nb\nc").messages, (Messages{"a", "", "b"}));
  EXPECT_EQ(cut(Delimiter{.text = "\r\n"}, "a\rb\r\nc\nd\r\n").messages,
            (Messages{"a\rb", "c\nd"}));
  EXPECT_EQ(cut(Delimiter{.text = "aab"}, "aaabxaab").messages, (Messages{"a", "x"}));
}

TEST(Framer, RefusesLengthsThatAreZeroShortOrTooLarge) {
  EXPECT_EQ(cut(LengthField{.bytes = 1}, "\1a\0b"s).error, FramingErrc::empty_message);
  EXPECT_EQ(cut(LengthField{.bytes = 1, .allows_empty = true}, "\1a\0\1b"s).messages,
            (Messages{"a", "", "b"}));
  const LengthField counting{.bytes = 2, .counts_header = true};
  EXPECT_EQ(cut(counting, "\0\1"s).error, FramingErrc::message_too_short);
  EXPECT_EQ(cut(counting, "\0\0"s).error, FramingErrc::message_too_short);
  EXPECT_EQ(cut(counting, "\0\2"s).error, FramingErrc::empty_message);
  EXPECT_EQ(cut(LengthField{.bytes = 1, .max_bytes = 3}, "\4"s).error,
            FramingErrc::message_too_large);
  EXPECT_EQ(cut(LengthField{.bytes = 8}, "\xff\xff\xff\xff\xff\xff\xff\xff"s).error,
            FramingErrc::message_too_large);
  EXPECT_EQ(cut(Delimiter{.max_bytes = 3}, "abc\n").messages, Messages{"abc"});
  EXPECT_EQ(cut(Delimiter{.max_bytes = 3}, "abcd\n").error, FramingErrc::message_too_large);
  EXPECT_EQ(cut(Delimiter{.max_bytes = 3}, "abcdefgh").error, FramingErrc::message_too_large);
}

TEST(Framer, SaysWhatGoesAroundAMessage) {
  const auto around = [](const Framing& framing, std::string_view payload,
                         std::string_view header = {}) {
    const Framer framer(framing);
    return framer.header_for(payload, header).value() + std::string(payload) +
           std::string(framer.trailer());
  };
  EXPECT_EQ(around(Raw{}, "abc"), "abc");
  EXPECT_EQ(around(FixedLength{3}, "abc"), "abc");
  EXPECT_EQ(around(LengthField{.bytes = 2}, "abc"), "\0\3abc"s);
  EXPECT_EQ(around(LengthField{.bytes = 2, .order = ByteOrder::little_endian}, "abc"), "\3\0abc"s);
  const LengthField field{.bytes = 1, .position = 1, .header_bytes = 3, .counts_header = true};
  EXPECT_EQ(around(field, "abc", "XYZ"), "X\6Zabc");
  EXPECT_EQ(around(Delimiter{"\r\n"}, "abc"), "abc\r\n");
}

TEST(Framer, SendsNothingThatWouldBeReadAsSomethingElse) {
  const auto error = [](const Framing& framing, std::string_view payload,
                        std::string_view header = {}) {
    const auto result = Framer(framing).header_for(payload, header);
    return result ? boost::system::error_code() : result.error().code;
  };
  EXPECT_EQ(error(FixedLength{3}, "ab"), FramingErrc::wrong_length);
  EXPECT_EQ(error(Raw{}, "ab", "header"), FramingErrc::wrong_length);
  EXPECT_EQ(error(LengthField{.bytes = 2}, "ab", "X"), FramingErrc::wrong_length);
  EXPECT_EQ(error(LengthField{}, ""), FramingErrc::empty_message);
  EXPECT_EQ(error(LengthField{.bytes = 1}, std::string(256, 'x')), FramingErrc::message_too_large);
  EXPECT_EQ(error(LengthField{.max_bytes = 3}, "abcd"), FramingErrc::message_too_large);
  EXPECT_EQ(error(Delimiter{}, "a\nb"), FramingErrc::contains_delimiter);
  EXPECT_EQ(error(Delimiter{.text = "aa"}, "xa"), FramingErrc::contains_delimiter);
  EXPECT_EQ(error(Delimiter{.text = "\r\n"}, "a\r"), boost::system::error_code());
}

TEST(Framer, CannotBeMadeOfWhatCannotBe) {
  const std::vector<Framing> impossible = {
      Raw{0},
      FixedLength{},
      Delimiter{.text = ""},
      LengthField{.bytes = 3},
      LengthField{.max_bytes = 0},
      LengthField{.bytes = 4, .position = 2, .header_bytes = 5},
      LengthField{.position = 1 << 20},
  };
  for (const Framing& framing : impossible) EXPECT_THROW(Framer{framing}, std::invalid_argument);
}

}  // namespace
}  // namespace livetls::tcp
