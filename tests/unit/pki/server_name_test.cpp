#include "livetls/pki/server_name.hpp"

#include <gtest/gtest.h>

namespace livetls {
namespace {

using namespace std::string_literals;

std::string canonical(std::string_view text) {
  const auto name = ServerName::parse(text);
  return name ? name->text() : "refused";
}

TEST(ServerName, IsComparedInOneSpelling) {
  const std::string longest_label(63, 'a');
  const struct {
    std::string text, expected;
  } cases[] = {
      {"example.com", "example.com"},
      {"EXAMPLE.Com", "example.com"},
      {"example.com.", "example.com"},
      {"localhost", "localhost"},
      {"a_b.example.com", "a_b.example.com"},
      {"_dmarc.example.com", "_dmarc.example.com"},
      {"xn--bcher-kva.example", "xn--bcher-kva.example"},
      {"r3---sn-x.example.com", "r3---sn-x.example.com"},
      {"1.2.example", "1.2.example"},
      {"127.0.0.1.example", "127.0.0.1.example"},
      {longest_label + ".com", longest_label + ".com"},
      {"192.0.2.1", "192.0.2.1"},
      {"0.0.0.0", "0.0.0.0"},
      {"::1", "::1"},
      {"[::1]", "::1"},
      {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
      {"[2001:db8::0001]", "2001:db8::1"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(canonical(text), expected) << text;
}

TEST(ServerName, RefusesWhatIsNoName) {
  const std::string label(63, 'a');
  const std::string longest = label + '.' + label + '.' + label + '.' + std::string(61, 'a');
  ASSERT_EQ(longest.size(), 253u);
  EXPECT_EQ(canonical(longest), longest);
  EXPECT_EQ(canonical(longest + '.'), longest);

  const std::string refused[] = {
      "",
      ".",
      "..",
      "example.com..",
      ".example.com",
      "a..b",
      longest + "a",
      std::string(64, 'a') + ".com",
      "-a.example.com",
      "a-.example.com",
      "exa mple.com",
      "example.com ",
      "example.com\n",
      "b\303\274cher.example",
      "example.com\0.evil.com"s,
      "\0"s,
      "example.com:443",
      "https://example.com",
      "user@example.com",
      "*.example.com",
      "*",
      "a*.example.com",
      // Numbers at the end that are no IPv4 address
      "1.2.3",
      "1.2.3.4.5",
      "256.1.1.1",
      "1.2.3.4.",
      "01.2.3.4",
      "example.123",
      "2130706433",
      "0x7f.0.0.1.1",
      // No IPv6 address
      "[127.0.0.1]",
      "[::1",
      "::1]",
      "[]",
      "fe80::1%eth0",
      "[fe80::1%1]",
      ":::",
      "1::2::3",
      "[::1]:443",
      "::1\0"s,
  };
  for (const auto& text : refused) {
    const auto name = ServerName::parse(text);
    ASSERT_FALSE(name) << text << " became " << name->text();
    EXPECT_TRUE(name.error() == Errc::invalid_server_name) << text;
  }
}

TEST(ServerName, ErrorsShowTheNameWithoutControlCharacters) {
  const auto name = ServerName::parse("evil\r\nFAKE LOG LINE");
  EXPECT_EQ(name.error().context, "'evil??FAKE LOG LINE'");
}

TEST(ServerName, KnowsAddresses) {
  EXPECT_TRUE(ServerName::parse("192.0.2.1")->is_ip());
  EXPECT_TRUE(ServerName::parse("[::1]")->is_ip());
  EXPECT_FALSE(ServerName::parse("localhost")->is_ip());
}

TEST(NamePattern, AcceptsOneWholeLeftMostWildcardAboveTwoLabels) {
  const struct {
    std::string text, expected;
  } cases[] = {
      {"*.Example.COM.", "*.example.com"},
      {"*.a.b.example.com", "*.a.b.example.com"},
      {"Example.com", "example.com"},
      {"[::1]", "::1"},
  };
  for (const auto& [text, expected] : cases) {
    const auto pattern = NamePattern::parse(text);
    ASSERT_TRUE(pattern) << text;
    EXPECT_EQ(pattern->text(), expected);
    EXPECT_EQ(pattern->is_wildcard(), expected.starts_with('*'));
  }
}

TEST(NamePattern, RefusesOtherWildcards) {
  const std::string label(63, 'a');
  const std::string too_long =
      "*." + label + '.' + label + '.' + label + '.' + std::string(60, 'a');
  ASSERT_EQ(too_long.size(), 254u);
  const std::string refused[] = {
      "*",
      "*.",
      "*.com",
      "*.com.",
      "f*.example.com",
      "*f.example.com",
      "**.example.com",
      "*.*.example.com",
      "a.*.example.com",
      "example.*",
      "*.192.0.2.1",
      "*.2.1",
      "*.[::1]",
      "*.::1",
      "*example.com",
      "*..com",
      "*.example.com\0"s,
      "xn--*.example.com",
      too_long,
  };
  for (const auto& text : refused) {
    const auto pattern = NamePattern::parse(text);
    ASSERT_FALSE(pattern) << text;
    EXPECT_TRUE(pattern.error() == Errc::invalid_server_name) << text;
  }
}

TEST(NamePattern, Matches) {
  const struct {
    std::string pattern, name;
    bool expected;
  } cases[] = {
      {"example.com", "EXAMPLE.com.", true},
      {"example.com", "www.example.com", false},
      {"example.com", "example.org", false},
      {"*.example.com", "a.example.com", true},
      {"*.example.com", "A.Example.Com", true},
      {"*.example.com", "xn--bcher-kva.example.com", true},
      {"*.example.com", "example.com", false},
      {"*.example.com", "a.b.example.com", false},
      {"*.example.com", "aexample.com", false},
      {"*.example.com", "a.example.org", false},
      {"*.b.example.com", "a.b.example.com", true},
      {"192.0.2.1", "192.0.2.1", true},
      {"192.0.2.1", "192.0.2.2", false},
      {"2001:DB8::1", "[2001:db8:0::1]", true},
      {"::ffff:192.0.2.1", "192.0.2.1", false},
  };
  for (const auto& [pattern, name, expected] : cases) {
    EXPECT_EQ(NamePattern::parse(pattern)->matches(*ServerName::parse(name)), expected)
        << pattern << " and " << name;
  }
}

}  // namespace
}  // namespace livetls
