#include "conditions.hpp"

#include <algorithm>
#include <charconv>

#include "ascii.hpp"
#include "http_date.hpp"

namespace livetls::web {
namespace {

std::string_view without_weakness(std::string_view tag) {
  return tag.starts_with("W/") ? tag.substr(2) : tag;
}

/// Our tags hold no comma.
bool lists(std::string_view list, std::string_view etag, bool strongly) {
  if (trimmed(list) == "*") return true;
  while (!list.empty()) {
    std::string_view tag = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), tag.size() + 1));
    tag = trimmed(tag);
    if ((strongly ? tag : without_weakness(tag)) == etag) return true;
  }
  return false;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) return UINT64_MAX;
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(value) : std::nullopt;
}

bool still_is(std::string_view condition, const Validators& validators) {
  if (condition.starts_with('"')) return condition == validators.etag;
  return parse_http_date(condition) == validators.modified;
}

}  // namespace

int status_by_conditions(const Request& request, const Validators& validators) {
  const Headers& headers = request.headers;
  if (const auto tags = headers.find("If-Match")) {
    if (!lists(*tags, validators.etag, true)) return 412;
  } else if (const auto time = parse_http_date(headers["If-Unmodified-Since"])) {
    if (validators.modified > *time) return 412;
  }
  if (const auto tags = headers.find("If-None-Match")) {
    return lists(*tags, validators.etag, false) ? 304 : 0;
  }
  const auto time = parse_http_date(headers["If-Modified-Since"]);
  return time && validators.modified <= *time ? 304 : 0;
}

RangeAnswer range_of(const Request& request, std::uint64_t size, const Validators& validators) {
  using Kind = RangeAnswer::Kind;
  constexpr std::string_view kUnit = "bytes=";
  std::string_view text = request.headers["Range"];
  if (request.method != Method::get || !text.starts_with(kUnit)) return {};
  const auto condition = request.headers.find("If-Range");
  if (condition && !still_is(*condition, validators)) return {};
  text = trimmed(text.substr(kUnit.size()));
  const std::size_t dash = text.find('-');
  if (dash == text.npos || text.find(',') != text.npos) return {};
  const auto first = number(text.substr(0, dash));
  const auto last = number(text.substr(dash + 1));
  if (dash == 0) {  // the last so many bytes
    if (!last) return {};
    if (*last == 0 || size == 0) return {Kind::unsatisfiable};
    return {Kind::part, {size - std::min(size, *last), size}};
  }
  const bool open = dash + 1 == text.size();
  if (!first || (!open && (!last || *last < *first))) return {};
  if (*first >= size) return {Kind::unsatisfiable};
  return {Kind::part, {*first, open ? size : std::min(size, std::max(*last, *last + 1))}};
}

}  // namespace livetls::web
