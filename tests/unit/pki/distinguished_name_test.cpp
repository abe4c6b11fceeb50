#include "pki/distinguished_name.hpp"

#include <gtest/gtest.h>

#include "pki/object_ids.hpp"

namespace livetls {
namespace {

using namespace std::string_literals;

/// The text of a Name, or "malformed".
std::string text_of(der::Span name) {
  bool failed = false;
  der::Reader reader(name, failed);
  const auto text = read_distinguished_name(reader.enter(der::kSequence));
  return failed ? "malformed" : text;
}

std::string text_of(std::string_view organization, std::string_view common_name = "") {
  return text_of(encode_distinguished_name(organization, common_name));
}

TEST(DistinguishedName, PutsTheMostSpecificPartFirst) {
  EXPECT_EQ(text_of("Example", "api.example.com"), "CN=api.example.com,O=Example");
  EXPECT_EQ(text_of("Example"), "O=Example");
  EXPECT_EQ(text_of(""), "");
}

TEST(DistinguishedName, EscapesWhatHasAMeaning) {
  EXPECT_EQ(text_of("a,b+c\"d\\e<f>g;h"), R"(O=a\,b\+c\"d\\e\<f\>g\;h)");
  EXPECT_EQ(text_of(" edges "), R"(O=\ edges\ )");
  EXPECT_EQ(text_of(" "), R"(O=\ )");
  EXPECT_EQ(text_of("#hash#"), R"(O=\#hash#)");
}

TEST(DistinguishedName, CannotForgeLogLines) {
  EXPECT_EQ(text_of("a\nb\x7f\0c"s), R"(O=a\0ab\7f\00c)");
  EXPECT_EQ(text_of("\xc2\x9b"), R"(O=\c2\9b)") << "C1 controls";
  EXPECT_EQ(text_of("\xe2\x80\xae\xe2\x80\xa8"), R"(O=\e2\80\ae\e2\80\a8)")
      << "directions and lines";
}

TEST(DistinguishedName, IsShownInPart) {
  EXPECT_EQ(quoted_name("CN=a"), "'CN=a'");
  EXPECT_EQ(quoted_name(std::string(60'000, 'x')), "'" + std::string(200, 'x') + "...'");
  EXPECT_EQ(quoted_name(std::string(199, 'x') + "\xc3\xa4" + "x"),
            "'" + std::string(199, 'x') + "...'");
}

/// RFC 5280, section 7.1; and two names that are no text are never the same by accident.
TEST(DistinguishedName, IsComparedAsText) {
  const auto name = [](std::uint8_t tag, std::string_view value) {
    const der::Span bytes(reinterpret_cast<const std::uint8_t*>(value.data()), value.size());
    const auto attribute =
        der::sequence({der::object_id(oid::kCommonName), der::element(tag, {bytes})});
    return canonical_name(der::sequence({der::element(der::kSet, {attribute})}));
  };
  const auto plain = name(der::kUtf8String, "A b");
  EXPECT_EQ(plain, name(der::kPrintableString, " a   B "));
  EXPECT_EQ(plain, name(der::kBmpString, "\0a\0 \0b"s));
  EXPECT_EQ(plain, name(der::kUniversalString, "\0\0\0a\0\0\0 \0\0\0b"s));
  EXPECT_NE(plain, name(der::kUtf8String, "ab"));
  EXPECT_NE(plain, name(der::kOctetString, "A b"));
  EXPECT_NE(name(der::kUniversalString, "\1\1\0\0"s), name(der::kUniversalString, "\0\1\0\0"s));
  EXPECT_NE(name(der::kBmpString, "\xd8\0"s), name(der::kUtf8String, "\xed\xa0\x80"));
}

TEST(DistinguishedName, KeepsUtf8AndEscapesWhatIsNone) {
  for (const auto* valid : {"\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x94\x92", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(text_of(valid), std::string("O=") + valid);
  }
  const struct {
    std::string value, expected;
  } cases[] = {
      {"\xff", R"(\ff)"},
      {"\xc3", R"(\c3)"},
      {"\xc3(", R"(\c3()"},
      {"\xc0\xaf", R"(\c0\af)"},                // longer than needed
      {"\xe0\x80\xaf", R"(\e0\80\af)"},         // likewise
      {"\xed\xa0\x80", R"(\ed\a0\80)"},         // a surrogate
      {"\xf4\x90\x80\x80", R"(\f4\90\80\80)"},  // beyond Unicode
  };
  for (const auto& [value, expected] : cases) EXPECT_EQ(text_of(value), "O=" + expected);
}

SecretBytes attribute(der::Span type, std::uint8_t tag, std::uint8_t value) {
  return der::sequence({der::object_id(type), der::element(tag, {der::Span(&value, 1)})});
}

TEST(DistinguishedName, JoinsThePartsOfOneStepWithPlus) {
  const auto name = der::sequence(
      {der::element(der::kSet, {attribute(oid::kCommonName, der::kPrintableString, 'a'),
                                attribute(oid::kOrganization, der::kUtf8String, 'b')})});
  EXPECT_EQ(text_of(name), "CN=a+O=b");
}

TEST(DistinguishedName, RefusesWhatIsNoName) {
  EXPECT_EQ(text_of(der::sequence({der::element(der::kSet, {})})), "malformed");
  EXPECT_EQ(text_of(der::sequence({der::sequence({})})), "malformed");
  EXPECT_EQ(text_of(der::sequence({der::element(der::kSet, {attribute({}, 0x0c, 'a')})})),
            "malformed");
  EXPECT_EQ(text_of(der::octet_string({})), "malformed");
}

}  // namespace
}  // namespace livetls
