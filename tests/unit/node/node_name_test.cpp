#include "livetls/node/node_name.hpp"

#include <gtest/gtest.h>

#include "livetls/node/error.hpp"

namespace livetls::node {
namespace {

TEST(NodeName, HasANameAndAHost) {
  const auto name = NodeName::parse("orders-1@Host1.example");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->text(), "orders-1@host1.example");
  EXPECT_EQ(name->host().text(), "host1.example");
  EXPECT_TRUE(NodeName::parse("a@127.0.0.1"));
}

TEST(NodeName, IsNothingElse) {
  for (const char* text :
       {"", "@", "a@", "@host", "a b@host", "a@b@c", "a", "a@ho st", "a\n@host"}) {
    EXPECT_EQ(NodeName::parse(text).error().code, NodeErrc::invalid_name) << text;
  }
  EXPECT_FALSE(NodeName::parse(std::string(300, 'a') + "@host"));
}

}  // namespace
}  // namespace livetls::node
