#pragma once

#include <boost/describe/class.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace livetls::bench {

/// What goes through the servers that echo JSON.
struct OrderLine {
  std::string article;
  std::int64_t count = 0;
};
BOOST_DESCRIBE_STRUCT(OrderLine, (), (article, count))

struct Order {
  std::int64_t id = 0;
  std::string customer;
  std::string address;
  std::vector<OrderLine> lines;
};
BOOST_DESCRIBE_STRUCT(Order, (), (id, customer, address, lines))

}  // namespace livetls::bench
