#include "report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace livetls::bench {

namespace json = boost::json;

namespace {

json::value optional_number(const std::optional<double>& number) {
  return number ? json::value(*number) : json::value(nullptr);
}

json::object to_json(const Row& row) {
  const auto of_ratio = [&](double value) {
    return row.ratio ? json::value(value) : json::value(nullptr);
  };
  return {{"measure", row.measure},
          {"ours", row.ours},
          {"peer", optional_number(row.peer)},
          {"peer_name", row.peer_name},
          {"unit", row.unit},
          {"ratio", optional_number(row.ratio)},
          {"ratio_low", of_ratio(row.ratio_low)},
          {"ratio_high", of_ratio(row.ratio_high)},
          {"must", row.must},
          {"aim", row.aim},
          {"better", row.lower_is_better ? "lower" : "higher"},
          {"holds", row.concluded ? json::value(row.holds()) : json::value(nullptr)},
          {"meets_aim", row.meets_aim()},
          {"rounds", row.rounds},
          {"note", row.note}};
}

/// Three digits that count.
std::string figure(double value) {
  char text[32];
  const double size = std::abs(value);
  const int decimals = size == std::floor(size) || size >= 100 ? 0 : size >= 10 ? 1 : 3;
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

std::string line(const Row& row) {
  const std::string ours = figure(row.ours) + " " + row.unit;
  std::string peer;
  std::string ratio;
  if (row.peer) peer = row.peer_name + " " + figure(*row.peer);
  if (row.ratio) {
    ratio =
        figure(*row.ratio) + " (" + figure(row.ratio_low) + " to " + figure(row.ratio_high) + ")";
  }
  const char* verdict = !row.concluded    ? "not concluded"
                        : row.meets_aim() ? "holds, and the aim"
                        : row.holds()     ? "holds"
                                          : "DOES NOT HOLD";
  char text[400];
  std::snprintf(text, sizeof text, "%-52s %14s  %-22s %-24s %s %-6s %s\n", row.measure.c_str(),
                ours.c_str(), peer.c_str(), ratio.c_str(),
                row.lower_is_better ? "<=" : ">=", figure(row.must).c_str(), verdict);
  std::string result = text;
  if (!row.note.empty()) result += "    " + row.note + "\n";
  return result;
}

}  // namespace

json::object Report::to_json() const {
  json::array json_rows;
  for (const Row& row : rows) json_rows.push_back(bench::to_json(row));
  return {{"livetls", LIVETLS_VERSION}, {"command", command}, {"started", started},
          {"seconds", seconds},         {"quick", quick},     {"machine", machine},
          {"rows", json_rows},          {"series", series}};
}

std::string Report::table() const {
  std::string text;
  for (const Row& row : rows) text += line(row);
  return text;
}

bool Report::all_hold() const { return std::ranges::all_of(rows, &Row::holds); }

}  // namespace livetls::bench
