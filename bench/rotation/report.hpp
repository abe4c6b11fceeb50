#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

namespace livetls::bench {

/// One figure of ours held against its bounds, alone or as a ratio to a peer's of the same run.
struct Row {
  std::string measure;
  std::string unit = {};
  bool lower_is_better = true;
  double must = 0;
  double aim = 0;

  double ours = 0;
  std::optional<double> peer = {};
  std::string peer_name = {};
  std::optional<double> ratio = {};  ///< bounds are of this where there is one, else of `ours`
  double ratio_low = 0;              ///< what half of the rounds lie between
  double ratio_high = 0;
  std::size_t rounds = 1;

  bool concluded = true;  ///< false: the load was the bottleneck; `note` says so
  std::string note = {};

  bool holds() const { return concluded && within(must); }
  bool meets_aim() const { return concluded && within(aim); }

 private:
  bool within(double bound) const {
    const double figure = ratio.value_or(ours);
    return lower_is_better ? figure <= bound : figure >= bound;
  }
};

/// What a run has found, as it goes to the terminal, to JSON and to the HTML report.
struct Report {
  std::string command = {};
  bool quick = false;
  std::string started = {};
  double seconds = 0;
  boost::json::object machine = {};
  std::vector<Row> rows = {};
  boost::json::array series = {};

  boost::json::object to_json() const;
  std::string table() const;
  bool all_hold() const;
};

}  // namespace livetls::bench
