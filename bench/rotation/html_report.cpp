#include "html_report.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <stdexcept>
#include <string_view>

namespace livetls::bench {

// report.html, made a literal by embed_report.cmake.
extern const std::string_view kReportTemplate;

namespace {

constexpr std::string_view kPlaceholder = "@report_json@";

// In JSON a `<` is only ever within a string; escaped, it cannot end the script element.
std::string json_for_script(const boost::json::object& report) {
  std::string safe;
  for (const char c : boost::json::serialize(report)) {
    if (c == '<') {
      safe += "\\u003c";
    } else {
      safe += c;
    }
  }
  return safe;
}

}  // namespace

std::string html_report(const boost::json::object& report) {
  const auto at = kReportTemplate.find(kPlaceholder);
  if (at == std::string_view::npos) throw std::logic_error("report.html has no @report_json@");
  std::string page(kReportTemplate.substr(0, at));
  page += json_for_script(report);
  page += kReportTemplate.substr(at + kPlaceholder.size());
  return page;
}

}  // namespace livetls::bench
