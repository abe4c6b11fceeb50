#pragma once

#include <boost/json/fwd.hpp>
#include <string>

namespace livetls::bench {

/// One HTML file, complete in itself, that shows `report` as a table and pictures (report.html).
std::string html_report(const boost::json::object& report);

}  // namespace livetls::bench
