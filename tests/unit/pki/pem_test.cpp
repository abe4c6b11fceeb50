#include "pki/pem.hpp"

#include <gtest/gtest.h>

namespace livetls {
namespace {

constexpr std::size_t kLimit = 1000;

std::string block(const std::string& body, const std::string& label = "X") {
  return "-----BEGIN " + label + "-----\n" + body + "-----END " + label + "-----\n";
}

std::string decoded(const std::string& body) {
  const auto blocks = parse_pem(block(body), kLimit);
  return blocks ? std::string(as_text(blocks->at(0).der)) : "torn";
}

TEST(Pem, DecodesBase64) {
  EXPECT_EQ(decoded("Zg==\n"), "f");
  EXPECT_EQ(decoded("Zm8=\n"), "fo");
  EXPECT_EQ(decoded("Zm9v\n"), "foo");
  EXPECT_EQ(decoded("Zm9v\nYmFy\n"), "foobar");
  EXPECT_EQ(decoded("Zm\r\n9 v\tYmFy\r\n"), "foobar");
  EXPECT_EQ(decoded("+/+/\n"), "\xfb\xff\xbf");
}

TEST(Pem, RefusesDamagedBase64) {
  for (const auto* body : {"", "Z\n", "Zg\n", "Zg=\n", "Zg=v\n", "Zg==Zg==\n", "Zm9vZg\n", "=\n",
                           "Z===\n", "Zm9v=\n", "Zm9v====\n", "Zm-v\n", "Zm9v\nName: x\n"}) {
    EXPECT_EQ(decoded(body), "torn") << body;
  }
}

TEST(Pem, FindsBlocksBetweenAnythingElse) {
  const auto text = "\xef\xbb\xbf" + block("Zm9v\n", "A") + "text: of people\r\n---- BEGIN ----\n" +
                    block("YmFy\n", "B C") + "no newline at the end";
  const auto blocks = parse_pem(text, kLimit);
  ASSERT_TRUE(blocks) << blocks.error().message();
  ASSERT_EQ(blocks->size(), 2u);
  EXPECT_EQ(blocks->at(0).label, "A");
  EXPECT_EQ(blocks->at(1).label, "B C");
  EXPECT_EQ(as_text(blocks->at(1).der), "bar");
  EXPECT_FALSE(blocks->at(1).encrypted);
}

TEST(Pem, ReadsTheHeadersOfLegacyEncryption) {
  const auto blocks =
      parse_pem(block("Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00FF\n\nZm9v\n"), kLimit);
  ASSERT_TRUE(blocks);
  EXPECT_TRUE(blocks->at(0).encrypted);
  EXPECT_EQ(as_text(blocks->at(0).der), "foo");
}

TEST(Pem, TellsItsErrorsApart) {
  const auto whole = block("Zm9v\n");
  const struct {
    std::string text;
    Errc expected;
  } cases[] = {
      {"", Errc::input_empty},
      {" \r\n\t\n", Errc::input_empty},
      {std::string(kLimit + 1, 'x'), Errc::input_too_large},
      {"-----BEGIN X-----\n", Errc::pem_torn},
      {"-----BEGIN X-----\nZm9v\n", Errc::pem_torn},
      {"-----BEGIN X-----\nZm9v\n-----END Y-----\n", Errc::pem_torn},
      {"-----BEGIN X-----\nZm9v\n" + whole, Errc::pem_torn},
      {"Zm9v\n-----END X-----\n", Errc::pem_torn},
      {whole + "-----END X-----\n", Errc::pem_torn},
  };
  for (const auto& [text, expected] : cases) {
    const auto blocks = parse_pem(text, kLimit);
    ASSERT_FALSE(blocks) << text;
    EXPECT_TRUE(blocks.error() == expected) << text << ": " << blocks.error().message();
  }
  EXPECT_EQ(parse_pem(whole + "-----BEGIN X-----\n", kLimit).error().context, "block 2");
  EXPECT_TRUE(parse_pem("no block at all", kLimit)->empty());
}

TEST(Pem, EncodesWhatItDecodes) {
  std::vector<std::uint8_t> bytes;
  for (int size = 1; size < 200; ++size) {
    bytes.push_back(static_cast<std::uint8_t>(size * 37));
    const auto blocks = parse_pem(as_text(encode_pem("X", bytes)), kLimit);
    ASSERT_TRUE(blocks) << size;
    EXPECT_EQ(as_text(blocks->at(0).der), as_text(bytes));
  }
}

}  // namespace
}  // namespace livetls
