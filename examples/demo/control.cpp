#include "control.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace livetls::demo {
namespace {

namespace json = boost::json;

/// The value that `share` of all are at or below.
double quantile(std::vector<double> values, double share) {
  std::ranges::sort(values);
  const auto last = static_cast<double>(values.size() - 1);
  return values[static_cast<std::size_t>(std::lround(share * last))];
}

double median(const std::vector<double>& values) { return quantile(values, 0.5); }

json::object with_spread(const std::vector<double>& values) {
  return {{"median", median(values)},
          {"low", quantile(values, 0.25)},
          {"high", quantile(values, 0.75)}};
}

double throughput(const Slice& slice) { return slice.per_second(slice.handshakes); }
double p99(const Slice& slice) { return static_cast<double>(slice.p99_us); }

}  // namespace

std::optional<Control::Round> Control::add(const Slice& slice) {
  const bool rotating = rotates_next();
  const bool warm_up = added_++ == 0;
  if (!rotating) still_ = slice;
  if (!rotating || warm_up) return {};
  return rounds_.emplace_back(Round{still_, slice});
}

json::object Control::to_json() const {
  if (rounds_.empty()) throw std::runtime_error("the run was too short for a comparison");
  const auto of_all = [this](const auto& figure) {
    std::vector<double> values;
    for (const Round& round : rounds_) values.push_back(figure(round));
    return values;
  };
  const auto both = [&](const auto& figure) -> json::object {
    return {
        {"still", median(of_all([&](const Round& round) { return figure(round.still); }))},
        {"rotating", median(of_all([&](const Round& round) { return figure(round.rotating); }))}};
  };
  const auto ratio = [&](const auto& figure) {
    return with_spread(
        of_all([&](const Round& round) { return figure(round.rotating) / figure(round.still); }));
  };
  return {{"rounds", rounds_.size()},
          {"rotations_per_second", median(of_all([](const Round& round) {
             return round.rotating.per_second(round.rotating.rotations);
           }))},
          {"handshakes_per_second", both(throughput)},
          {"p99_us", both(p99)},
          {"throughput_ratio", ratio(throughput)},
          {"p99_ratio", ratio(p99)}};
}

}  // namespace livetls::demo
