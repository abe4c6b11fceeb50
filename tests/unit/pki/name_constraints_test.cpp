#include "pki/name_constraints.hpp"

#include <gtest/gtest.h>

namespace livetls {
namespace {

bool permits(const std::string& base, const std::string& name) {
  NameConstraints constraints;
  constraints.permitted.dns = {base};
  return are_allowed({.dns = {name}, .ip = {}}, constraints);
}

bool excludes(const std::string& base, const std::string& name) {
  NameConstraints constraints;
  constraints.excluded.dns = {base};
  return !are_allowed({.dns = {name}, .ip = {}}, constraints);
}

/// RFC 5280, section 4.2.1.10.
TEST(NameConstraints, PermitNamesThatHaveLabelsBeforeTheirs) {
  EXPECT_TRUE(permits("example.com", "example.com"));
  EXPECT_TRUE(permits("example.com", "a.example.com"));
  EXPECT_TRUE(permits("example.com", "a.b.EXAMPLE.com."));
  EXPECT_TRUE(permits("Example.COM", "a.example.com"));
  EXPECT_TRUE(permits("", "anything.example"));
  EXPECT_TRUE(permits(".example.com", "a.example.com"));
  EXPECT_FALSE(permits(".example.com", "example.com"));
  EXPECT_FALSE(permits("example.com", "notexample.com"));
  EXPECT_FALSE(permits("example.com", "com"));
  EXPECT_FALSE(permits("example.com", "example.com.evil"));
}

TEST(NameConstraints, PermitWildcardsThatStayBelow) {
  EXPECT_TRUE(permits("example.com", "*.example.com"));
  EXPECT_TRUE(permits(".example.com", "*.example.com"));
  EXPECT_TRUE(permits("example.com", "*.a.example.com"));
  EXPECT_FALSE(permits("a.example.com", "*.example.com"));
  EXPECT_FALSE(permits("example.com", "*.com"));
}

TEST(NameConstraints, ExcludeWhateverMayMeetTheirs) {
  EXPECT_TRUE(excludes("secret.example", "secret.example"));
  EXPECT_TRUE(excludes("secret.example", "secret.example."));
  EXPECT_TRUE(excludes("secret.example", "a.secret.example"));
  EXPECT_TRUE(excludes("a.secret.example", "*.secret.example"));
  EXPECT_TRUE(excludes(".a.secret.example", "*.secret.example"));
  EXPECT_TRUE(excludes("secret.example", "*.secret.example"));
  EXPECT_TRUE(excludes(".secret.example", "*.secret.example"));
  EXPECT_TRUE(excludes("", "any.example"));
  EXPECT_FALSE(excludes("secret.example", "notsecret.example"));
  EXPECT_FALSE(excludes("secret.example", "example"));
  EXPECT_FALSE(excludes("a.b.example", "*.c.example"));
}

TEST(NameConstraints, AreAboutAllNamesOfTheirType) {
  NameConstraints constraints;
  constraints.permitted.dns = {"a.example", "b.example"};
  constraints.excluded.dns = {"x.b.example"};
  const auto allowed = [&](std::vector<std::string> dns) {
    return are_allowed({.dns = std::move(dns), .ip = {{10, 0, 0, 1}}}, constraints);
  };
  EXPECT_TRUE(allowed({"a.example", "y.b.example"}));
  EXPECT_FALSE(allowed({"a.example", "c.example"}));
  EXPECT_FALSE(allowed({"a.example", "x.b.example"}));
  EXPECT_TRUE(allowed({})) << "addresses are of another type";
}

TEST(NameConstraints, CompareAddressesUnderTheirMask) {
  NameConstraints constraints;
  constraints.permitted.ip = {{10, 0, 0, 0, 255, 0, 0, 0}};
  constraints.excluded.ip = {{10, 1, 2, 0, 255, 255, 255, 0}};
  const auto allowed = [&](std::vector<std::uint8_t> address) {
    return are_allowed({.dns = {}, .ip = {std::move(address)}}, constraints);
  };
  EXPECT_TRUE(allowed({10, 9, 9, 9}));
  EXPECT_FALSE(allowed({11, 9, 9, 9}));
  EXPECT_FALSE(allowed({10, 1, 2, 3}));
  EXPECT_FALSE(allowed(std::vector<std::uint8_t>(16, 0))) << "IPv6, where only IPv4 is permitted";
}

}  // namespace
}  // namespace livetls
