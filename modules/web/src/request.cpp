#include "livetls/web/request.hpp"

#include <algorithm>
#include <random>
#include <stdexcept>
#include <utility>

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
    const EncodedPair pair = take_pair(rest);
    if (percent_decode(pair.name, true) == name) return percent_decode(pair.value, true);
  }
  return std::nullopt;
}

std::string_view Request::host() const noexcept {
  const std::string_view host = headers["Host"];
  const std::size_t bracket = host.rfind(']');  // an IPv6 address has colons of its own
  const std::size_t colon = host.rfind(':');
  const bool has_port = colon != host.npos && (bracket == host.npos || colon > bracket);
  return has_port ? host.substr(0, colon) : host;
}

/// Nothing that must not be guessed, only unlike others.
const std::string& Request::id() const {
  thread_local std::mt19937_64 generator(std::random_device{}());
  if (id_.empty()) {
    std::uint64_t bits = generator();
    for (int digit = 0; digit < 16; ++digit, bits >>= 4) id_ += "0123456789abcdef"[bits & 15];
  }
  return id_;
}

Task<bool> Request::read_body(std::string& into) {
  if (!body.empty()) {  // what was received as a whole
    into.append(std::exchange(body, {}));
    co_return true;
  }
  if (source_ == nullptr) co_return false;
  co_return co_await source_->receive(into, max_body_bytes);
}

Task<void> Request::receive_body() {
  if (source_ == nullptr) co_return;
  bool more = true;
  while (more) more = co_await source_->receive(body, max_body_bytes);
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
