#include "routes.hpp"

#include <gtest/gtest.h>

namespace livetls::node {
namespace {

const SecretBytes kCookie(1);

TEST(NodeRoutes, PatternsTakeAnyTextForAStar) {
  EXPECT_TRUE(matches_pattern("*", "a@b"));
  EXPECT_TRUE(matches_pattern("a@b", "a@b"));
  EXPECT_TRUE(matches_pattern("a@*", "a@b"));
  EXPECT_TRUE(matches_pattern("*@*.example", "a@b.example"));
  EXPECT_TRUE(matches_pattern("a*b*c", "aXbYbZc"));
  EXPECT_TRUE(matches_pattern("a@b*", "a@b"));
  EXPECT_FALSE(matches_pattern("a@b", "a@bc"));
  EXPECT_FALSE(matches_pattern("a@*c", "a@b"));
  EXPECT_FALSE(matches_pattern("", "a@b"));
}

TEST(NodeRoutes, TheHighestWeightComesFirst) {
  const NodeOptions options{.cookie = "c"};
  const auto all = make_ready({{.pattern = "a@*", .port = 1, .weight = 1, .plain = true},
                               {.pattern = "b@*", .port = 2, .plain = true},
                               {.pattern = "*", .port = 3, .weight = 5, .plain = true},
                               {.pattern = "*@h", .port = 4, .weight = 1, .plain = true}},
                              options, kCookie);
  std::vector<int> ports;
  for (const auto& ready : routes_to(NodeName::parse("a@h").value(), all)) {
    ports.push_back(ready->route.port);
  }
  EXPECT_EQ(ports, (std::vector<int>{3, 1, 4}));
}

TEST(NodeRoutes, RefuseWhatCannotBe) {
  const NodeOptions options{.cookie = "c"};
  EXPECT_THROW(make_ready({{.pattern = "*"}}, options, kCookie), std::invalid_argument)
      << "no manager";
  EXPECT_THROW(make_ready({{.pattern = "*", .connections = 0, .plain = true}}, options, kCookie),
               std::invalid_argument);
  EXPECT_THROW(make_ready({{.pattern = "*", .connections = 17, .plain = true}}, options, kCookie),
               std::invalid_argument);
}

}  // namespace
}  // namespace livetls::node
