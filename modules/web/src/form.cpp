#include "livetls/web/form.hpp"

#include "ascii.hpp"
#include "header_parameters.hpp"
#include "percent_decode.hpp"

namespace livetls::web {
namespace {

std::string decoded(std::string_view text) {
  auto result = percent_decode(text, true);
  if (!result) throw HttpError(400, "the form has a malformed escape");
  return *std::move(result);
}

}  // namespace

FormFields form_fields(const Request& request) {
  const std::string_view field = request.headers["Content-Type"];
  if (!equal_ignoring_case(without_parameters(field), "application/x-www-form-urlencoded")) {
    throw HttpError(415, "the body must be a form");
  }
  FormFields fields;
  std::string_view rest = request.body;
  while (!rest.empty()) {
    const EncodedPair pair = take_pair(rest);
    if (pair.name.empty() && pair.value.empty()) continue;
    fields.emplace_back(decoded(pair.name), decoded(pair.value));
  }
  return fields;
}

}  // namespace livetls::web
