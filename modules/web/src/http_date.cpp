#include "http_date.hpp"

#include <array>
#include <cstdio>

namespace livetls::web {
namespace {

constexpr std::size_t kLength = std::string_view("Sun, 06 Nov 1994 08:49:37 GMT").size();

constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
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
                kMonths[unsigned{date.month()} - 1], int{date.year()},
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
}

}  // namespace

std::string_view http_date(std::chrono::sys_seconds time) {
  thread_local Cache cache;
  if (cache.time != time) {
    format(time, cache.text);
    cache.time = time;
  }
  return {cache.text.data(), kLength};
}

}  // namespace livetls::web
