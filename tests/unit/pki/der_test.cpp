#include "pki/der.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace livetls::der {
namespace {

using Bytes = std::vector<std::uint8_t>;

bool reads(const Bytes& bytes) {
  bool failed = false;
  Reader reader(bytes, failed);
  reader.any();
  reader.expect_end();
  return !failed;
}

TEST(DerReader, TakesOnlyDefiniteMinimalLengthsThatFit) {
  Bytes long_form(3 + 200);
  long_form[0] = 0x04;
  long_form[1] = 0x81;
  long_form[2] = 200;
  EXPECT_TRUE(reads(long_form));
  EXPECT_TRUE(reads({0x05, 0x00}));
  EXPECT_TRUE(reads({0x04, 0x01, 0xff}));

  const Bytes refused[] = {
      {},
      {0x04},
      {0x04, 0x01},
      {0x04, 0x01, 0xff, 0xff},                    // more than one element
      {0x04, 0x80, 0xff, 0x00, 0x00},              // indefinite
      {0x04, 0x81, 0x01, 0xff},                    // short enough for the short form
      {0x04, 0x82, 0x00, 0x01, 0xff},              // a leading zero
      {0x04, 0x84, 0xff, 0xff, 0xff, 0xff},        // beyond the end
      {0x04, 0x85, 0x01, 0x00, 0x00, 0x00, 0x00},  // absurd
      {0x04, 0x81},
      {0x1f, 0x01, 0x00},  // high tag numbers are not used in certificates
  };
  for (const auto& bytes : refused) EXPECT_FALSE(reads(bytes)) << testing::PrintToString(bytes);
}

TEST(DerReader, FailureStopsEveryReaderOfTheWalk) {
  const Bytes bytes = {0x30, 0x03, 0x02, 0x01, 0x07, 0x02, 0x01, 0x08};
  bool failed = false;
  Reader outer(bytes, failed);
  Reader inner = outer.enter(kSequence);
  inner.content(kOctetString);  // there is an INTEGER
  EXPECT_TRUE(failed);
  EXPECT_TRUE(outer.at_end());
  EXPECT_TRUE(outer.content(kInteger).empty());
}

TEST(DerReader, BitStringsOfWholeBytesOnly) {
  const auto whole = bit_string(Bytes{0xaa});
  bool failed = false;
  EXPECT_EQ(Reader(whole, failed).whole_byte_bits().size(), 1u);
  EXPECT_FALSE(failed);
  const auto part = bit_string(Bytes{0xa0}, 4);
  Reader(part, failed).whole_byte_bits();
  EXPECT_TRUE(failed);
}

TEST(Der, WritesWhatItReads) {
  for (const std::size_t size : {0u, 1u, 127u, 128u, 255u, 256u, 65535u, 65536u}) {
    const Bytes content(size, 0x5a);
    const auto written = octet_string(content);
    bool failed = false;
    Reader reader(written, failed);
    EXPECT_TRUE(std::ranges::equal(reader.content(kOctetString), content)) << size;
    reader.expect_end();
    EXPECT_FALSE(failed) << size;
  }
}

TEST(Der, ObjectIdsAsText) {
  EXPECT_EQ(object_id_text(Bytes{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d}), "1.2.840.113549");
  EXPECT_EQ(object_id_text(Bytes{0x55, 0x04, 0x03}), "2.5.4.3");
  EXPECT_EQ(object_id_text(Bytes{0x88, 0x37, 0x03}), "2.999.3");
  EXPECT_EQ(object_id_text(Bytes{}), "");
  EXPECT_EQ(object_id_text(Bytes{0x2a, 0x86}), "");
  EXPECT_EQ(object_id_text(Bytes(12, 0xff)), "");
  EXPECT_EQ(object_id_text(Bytes{0x2a, 0x80, 0x01}), "") << "not in its shortest form";
  const Bytes uuid = {0x69, 0x83, 0xf0, 0x9d, 0xa7, 0xeb, 0xcf, 0xde, 0xe0, 0xc7,
                      0xa1, 0xa7, 0xb2, 0xc0, 0x94, 0x8c, 0xc8, 0xf9, 0xd7, 0x76};
  EXPECT_EQ(object_id_text(uuid), "0x6983f09da7ebcfdee0c7a1a7b2c0948cc8f9d776");
}

}  // namespace
}  // namespace livetls::der
