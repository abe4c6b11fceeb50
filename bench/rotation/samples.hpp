#pragma once

#include <algorithm>
#include <vector>

namespace livetls::bench {

/// `part` from 0 to 1; between two values, in proportion.
inline double quantile(std::vector<double> values, double part) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const double rank = part * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(rank);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (rank - static_cast<double>(below)) * (values[above] - values[below]);
}

inline double median(std::vector<double> values) { return quantile(std::move(values), 0.5); }

/// Round by round, ours over the other's, which was measured next to it.
inline std::vector<double> ratios(const std::vector<double>& ours,
                                  const std::vector<double>& others) {
  std::vector<double> result;
  for (std::size_t i = 0; i < std::min(ours.size(), others.size()); ++i) {
    result.push_back(ours[i] / others[i]);
  }
  return result;
}

}  // namespace livetls::bench
