#include "pki/read_time.hpp"

#include "pki/pem.hpp"

namespace livetls {

std::chrono::sys_seconds read_time(der::Reader& reader) {
  using namespace std::chrono;
  const auto element = reader.any();
  const std::size_t year_digits = element.tag == der::kGeneralizedTime ? 4 : 2;
  const bool is_time = element.tag == der::kUtcTime || element.tag == der::kGeneralizedTime;
  auto text = as_text(element.content);
  if (!is_time || text.size() != year_digits + 11 || text.back() != 'Z' ||
      text.find_first_not_of("0123456789") != text.size() - 1) {
    reader.fail();
    return {};
  }

  const auto take = [&text](std::size_t digits) {
    int number = 0;
    for (const char digit : text.substr(0, digits)) number = number * 10 + (digit - '0');
    text.remove_prefix(digits);
    return number;
  };
  int year_number = take(year_digits);
  if (year_digits == 2) year_number += year_number < 50 ? 2000 : 1900;
  const auto month_number = static_cast<unsigned>(take(2));
  const auto day_number = static_cast<unsigned>(take(2));
  const year_month_day date{year{year_number}, month{month_number}, day{day_number}};
  const hours hour{take(2)};
  const minutes minute{take(2)};
  const seconds second{take(2)};
  if (!date.ok() || hour.count() > 23 || minute.count() > 59 || second.count() > 59) {
    reader.fail();
    return {};
  }
  return sys_days{date} + hour + minute + second;
}

}  // namespace livetls
