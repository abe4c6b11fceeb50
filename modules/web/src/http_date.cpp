#include "http_date.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

namespace livetls::web {
namespace {

constexpr std::size_t kLength = std::string_view("Sun, 06 Nov 1994 08:49:37 GMT").size();

constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct Cache {
  std::chrono::sys_seconds time = std::chrono::sys_seconds::min();
  std::array<char, 64> text;
};

void format(std::chrono::sys_seconds time, std::array<char, 64>& into) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::snprintf(into.data(), into.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT",
                kDays[std::chrono::weekday(day).c_encoding()], unsigned{date.day()},
                kMonths[unsigned{date.month()} - 1].data(), int{date.year()},
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size() && value >= 0;
  return whole ? std::optional(value) : std::nullopt;
}

}  // namespace

std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text) {
  if (text.size() != kLength) return std::nullopt;
  const auto month = std::ranges::find(kMonths, text.substr(8, 3));
  const auto day = number(text.substr(5, 2)), year = number(text.substr(12, 4));
  const auto hours = number(text.substr(17, 2)), minutes = number(text.substr(20, 2)),
             seconds = number(text.substr(23, 2));
  if (month == kMonths.end() || !day || !year || !hours || !minutes || !seconds) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date(std::chrono::year(*year),
                                         std::chrono::month(unsigned(month - kMonths.begin()) + 1),
                                         std::chrono::day(unsigned(*day)));
  if (!date.ok() || *hours > 23 || *minutes > 59 || *seconds > 60) return std::nullopt;
  const auto time = std::chrono::sys_days(date) + std::chrono::hours(*hours) +
                    std::chrono::minutes(*minutes) + std::chrono::seconds(*seconds);
  if (http_date(time) != text && *seconds != 60) return std::nullopt;  // the rest of it
  return time;
}

std::string_view http_date(std::chrono::sys_seconds time) {
  thread_local Cache cache;
  if (cache.time != time) {
    format(time, cache.text);
    cache.time = time;
  }
  return {cache.text.data(), kLength};
}

}  // namespace livetls::web
