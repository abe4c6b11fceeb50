#pragma once

#include <cstdio>
#include <cstdlib>

namespace livetls::fuzz {

/// A property that must hold for every input. Where it does not, the process ends, which is what
/// libFuzzer and ctest take for a finding.
inline void require(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", property);
  std::abort();
}

}  // namespace livetls::fuzz
