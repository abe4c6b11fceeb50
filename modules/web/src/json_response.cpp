#include <boost/json/serialize.hpp>

#include "livetls/web/response.hpp"

namespace livetls::web {

Response Response::json(const boost::json::value& value, int status_code) {
  Response response{status_code, {}, boost::json::serialize(value)};
  response.headers.set("Content-Type", "application/json");
  return response;
}

}  // namespace livetls::web
