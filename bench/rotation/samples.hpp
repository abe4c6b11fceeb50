#pragma once

#include <algorithm>
#include <vector>

namespace livetls::bench {

/// Of a sorted copy; `part` from 0 to 1.
inline double quantile(std::vector<double> values, double part) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1) + 0.5)];
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
