#include "livetls/node/message.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace livetls::node {

Payload::Payload(const boost::json::value& json)
    : bytes_(boost::json::serialize(json)), is_json_(true) {}

Result<boost::json::value> Payload::json() const {
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(bytes_, error);
  if (error) return Error(error, "a message");
  return value;
}

}  // namespace livetls::node
