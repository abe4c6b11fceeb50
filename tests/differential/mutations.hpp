#pragma once

#include <functional>
#include <string>
#include <vector>

#include "differential/scenario.hpp"

namespace livetls::test {

/// One change of a scenario, for better or worse.
struct Mutation {
  std::string name;
  std::function<void(Scenario&)> apply;
};

std::vector<Scenario> valid_scenarios();
std::vector<Mutation> mutations();

}  // namespace livetls::test
