#include "livetls/web/json.hpp"

#include <gtest/gtest.h>

#include "livetls/web/testing.hpp"

namespace shop {

enum class Kind { book, game };
BOOST_DESCRIBE_ENUM(Kind, book, game)

struct Item {
  std::string name;
  double price;
  std::optional<Kind> kind;
};
BOOST_DESCRIBE_STRUCT(Item, (), (name, price, kind))

struct Order {
  std::uint8_t id;
  bool paid;
  std::vector<Item> items;
  std::map<std::string, int> counts;
};
BOOST_DESCRIBE_STRUCT(Order, (), (id, paid, items, counts))

struct Gift : Order {
  std::string from;
};
BOOST_DESCRIBE_STRUCT(Gift, (Order), (from))

}  // namespace shop

namespace livetls::web {
namespace {

using shop::Gift;
using shop::Item;
using shop::Order;

class JsonTest : public testing::Test {
 protected:
  JsonTest() {
    router_.post("/orders", [](Json<Order> order) -> Task<Json<Order>> { co_return order; });
    router_.post("/gifts", [](Json<Gift> gift) { return *gift; });
    router_.post("/numbers", [](Json<std::vector<double>> numbers) { return *numbers; });
    router_.post("/any", [](Json<boost::json::value> json) { return *json; });
  }

  std::string problem(const std::string& body, const std::string& path = "/orders",
                      const char* type = "application/json") {
    const Response response = client_.post(path, body, type);
    if (response.status_code < 400) return "none";
    const auto json = boost::json::parse(response.body);
    return std::to_string(response.status_code) + " " +
           boost::json::value_to<std::string>(json.at("detail"));
  }

  Router router_;
  TestClient client_{router_};
};

const std::string kOrder =
    R"({"id":7,"paid":true,"items":[{"name":"a","price":1.5E0,"kind":"game"},)"
    R"({"name":"b","price":2E0,"kind":null}],"counts":{"x":1}})";

TEST_F(JsonTest, GoesInAndOutAsDescribedStructs) {
  const Response response = client_.post("/orders", kOrder, "application/json");
  EXPECT_EQ(response.status_code, 200);
  EXPECT_EQ(response.headers["Content-Type"], "application/json");
  EXPECT_EQ(response.body, kOrder);
  const std::string gift = kOrder.substr(0, kOrder.size() - 1) + R"(,"from":"me"})";
  EXPECT_EQ(client_.post("/gifts", gift, "application/json; charset=utf-8").body, gift);
  EXPECT_EQ(client_.post("/numbers", "[1,2.5]", "Application/vnd.numbers+json").body,
            "[1E0,2.5E0]");
  EXPECT_EQ(client_.post("/any", R"({"a":[1,"b"]})", "application/json").body, R"({"a":[1,"b"]})");
}

TEST_F(JsonTest, MembersThatAreOptionalMayBeMissingAndOthersThanKnownMayBeThere) {
  EXPECT_EQ(problem(R"({"id":7,"paid":true,"items":[{"name":"a","price":1}],"counts":{},"z":1})"),
            "none");
}

TEST_F(JsonTest, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(problem("[]"), "422 the body: is no object");
  EXPECT_EQ(problem("{}"), "422 id: is missing");
  EXPECT_EQ(problem(R"({"id":"7"})"), "422 id: is no whole number");
  EXPECT_EQ(problem(R"({"id":7.5})"), "422 id: is no whole number");
  EXPECT_EQ(problem(R"({"id":256})"), "422 id: is out of range");
  EXPECT_EQ(problem(R"({"id":-1})"), "422 id: is out of range");
  EXPECT_EQ(problem(R"({"id":7,"paid":1})"), "422 paid: is neither true nor false");
  EXPECT_EQ(problem(R"({"id":7,"paid":true,"items":{}})"), "422 items: is no array");
  EXPECT_EQ(problem(R"({"id":7,"paid":true,"items":[{"name":"a","price":1},{"name":2}]})"),
            "422 items[1].name: is no string");
  EXPECT_EQ(problem(R"({"id":7,"paid":true,"items":[{"name":"a","price":"b"}]})"),
            "422 items[0].price: is no number");
  EXPECT_EQ(problem(R"({"id":7,"paid":true,"items":[{"name":"a","price":1,"kind":"toy"}]})"),
            "422 items[0].kind: is none of the values that are allowed");
  EXPECT_EQ(problem(R"({"id":7,"paid":true,"items":[],"counts":{"a":1,"b":null}})"),
            "422 counts.b: is no whole number");
  EXPECT_EQ(problem("[1,null]", "/numbers"), "422 [1]: is no number");
}

TEST_F(JsonTest, WhatIsNoJsonIsABadRequest) {
  for (const char* text :
       {"", "{", "{}x", "{'a':1}", "nul", "[1,]", "\"\xff\"", "\"\xed\xa0\x80\""}) {
    EXPECT_EQ(problem(text, "/any").substr(0, 3), "400") << text;
  }
}

TEST_F(JsonTest, IsNotNestedDeeply) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_EQ(problem(nested(32), "/any"), "none");
  EXPECT_EQ(problem(nested(33), "/any").substr(0, 3), "400");
  EXPECT_EQ(problem(nested(1'000'000), "/any").substr(0, 3), "400");
}

TEST_F(JsonTest, AnotherContentTypeIsRefused) {
  for (const char* type :
       {"", "text/plain", "application/jsonp", "text/json", "application/x-www-form-urlencoded"}) {
    EXPECT_EQ(problem("{}", "/any", type), "415 the body must be JSON") << type;
  }
}

}  // namespace
}  // namespace livetls::web
