#include "livetls/web/json.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "ascii.hpp"
#include "header_parameters.hpp"

namespace livetls::web {

Response Response::json(const boost::json::value& value, int status_code) {
  Response response{.status_code = status_code, .body = boost::json::serialize(value)};
  response.headers.set("Content-Type", "application/json");
  return response;
}

Response Response::problem(int status_code, std::string_view detail) {
  boost::json::object problem{{"title", reason_phrase(status_code)}, {"status", status_code}};
  if (!detail.empty()) problem["detail"] = detail;
  Response response = json(problem, status_code);
  response.headers.set("Content-Type", "application/problem+json");
  return response;
}

namespace detail {
namespace {

bool is_json(std::string_view content_type) {
  const std::string type = lower(without_parameters(content_type));
  return type == "application/json" ||
         (type.starts_with("application/") && type.ends_with("+json"));
}

std::string written(const JsonPlace& place) {
  if (place.outer == nullptr) return {};
  const std::string outer = written(*place.outer);
  if (place.member.empty()) return outer + '[' + std::to_string(place.index) + ']';
  return outer + (outer.empty() ? "" : ".") + std::string(place.member);
}

}  // namespace

void refuse_json(const JsonPlace& place, std::string_view why) {
  const std::string where = written(place);
  throw HttpError(422, (where.empty() ? "the body" : where) + ": " + std::string(why));
}

boost::json::value json_body(const Request& request) {
  if (!is_json(request.headers["Content-Type"])) throw HttpError(415, "the body must be JSON");
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(request.body, error);
  if (error) throw HttpError(400, "the body is no JSON: " + error.message());
  return value;
}

}  // namespace detail
}  // namespace livetls::web
