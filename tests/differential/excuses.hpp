#pragma once

#include <optional>
#include <string>
#include <vector>

#include "differential/scenario.hpp"

namespace livetls::test {

/// The row of docs/path-validation.md that explains why `judge` says otherwise, where one of the
/// scenario's mutations is of its kind.
std::optional<std::string> excuse_for(const Scenario& scenario, const std::string& judge,
                                      bool livetls_accepts);

/// The rows for a judge.
std::vector<std::string> excuses_of(const std::string& judge);

}  // namespace livetls::test
