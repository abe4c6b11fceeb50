#include "livetls/web/headers.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace livetls::web {
namespace {

using namespace std::string_view_literals;

TEST(Headers, FindsNamesInAnyCase) {
  Headers headers;
  headers.add("Content-Type", "text/plain");
  EXPECT_EQ(headers["content-type"], "text/plain");
  EXPECT_EQ(headers.find("CONTENT-TYPE"), "text/plain");
  EXPECT_FALSE(headers.find("Content-Typ"));
  EXPECT_EQ(headers["Accept"], "");
}

TEST(Headers, AddKeepsWhatIsThereAndSetReplacesAllOfIt) {
  Headers headers;
  headers.add("Via", "one");
  headers.add("via", "two");
  EXPECT_EQ(headers.count("Via"), 2U);
  EXPECT_EQ(headers["Via"], "one");

  headers.set("VIA", "three");
  ASSERT_EQ(headers.size(), 1U);
  EXPECT_EQ(headers.begin()->name, "VIA");
  EXPECT_EQ(headers.begin()->value, "three");
}

TEST(Headers, SetTakesAValueThatPointsIntoItself) {
  Headers headers;
  headers.add("A", "a value too long for the small-string optimisation");
  headers.set("a", headers["A"]);
  EXPECT_EQ(headers["A"], "a value too long for the small-string optimisation");
}

TEST(Headers, EraseRemovesAllOfAName) {
  Headers headers;
  headers.add("A", "1");
  headers.add("B", "2");
  headers.add("a", "3");
  headers.erase("A");
  EXPECT_FALSE(headers.contains("a"));
  EXPECT_EQ(headers.size(), 1U);
}

TEST(Headers, RefusesValuesThatWouldEndTheField) {
  Headers headers;
  for (const auto value : {"a\r\nSet-Cookie: b"sv, "a\nb"sv, "a\rb"sv, "a\0b"sv, "\x7f"sv}) {
    EXPECT_THROW(headers.set("X", value), std::invalid_argument);
    EXPECT_THROW(headers.add("X", value), std::invalid_argument);
  }
  EXPECT_TRUE(headers.empty());
}

TEST(Headers, AllowsTabsAndBytesAbove127InValues) {
  Headers headers;
  headers.set("X", "J\xc3\xb6rg\tB");
  EXPECT_EQ(headers["X"], "J\xc3\xb6rg\tB");
}

TEST(Headers, RefusesNamesThatAreNoToken) {
  Headers headers;
  for (const auto name : {""sv, "a b"sv, "a:"sv, "a\r\n"sv, "a\0"sv, "\xc3\xb6"sv}) {
    EXPECT_THROW(headers.set(name, "x"), std::invalid_argument);
  }
}

}  // namespace
}  // namespace livetls::web
