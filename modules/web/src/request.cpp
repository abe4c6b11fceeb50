#include "livetls/web/request.hpp"

#include <algorithm>
#include <stdexcept>

#include "percent_decode.hpp"

namespace livetls::web {

std::string_view Request::path() const noexcept {
  return std::string_view(target).substr(0, target.find('?'));
}

std::string_view Request::query() const noexcept {
  const std::size_t mark = target.find('?');
  return mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1);
}

std::optional<std::string> Request::query_param(std::string_view name) const {
  std::string_view rest = query();
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (percent_decode(pair.substr(0, equals), true) != name) continue;
    return percent_decode(pair.substr(std::min(pair.size(), equals + 1)), true);
  }
  return std::nullopt;
}

const std::string& Request::param(std::string_view name) const {
  const auto found = std::ranges::find(params_, name, &Param::name);
  if (found != params_.end()) return found->value;
  throw std::invalid_argument("the route's pattern has no {" + std::string(name) + "}");
}

const Connection& Request::connection() const {
  if (connection_ == nullptr) throw std::logic_error("this request came on no connection");
  return *connection_;
}

}  // namespace livetls::web
