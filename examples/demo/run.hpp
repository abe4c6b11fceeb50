#pragma once

#include <string>

#include "load.hpp"

namespace livetls::demo {

struct RunOptions {
  double rotate_hz = 10;
  bool control = false;  ///< slices with and without rotation in turn, and a comparison
  std::size_t threads = 0;
  std::string json_file;
  LoadOptions load;
};

/// Starts the servers, the load in another process and the rotation; prints a line a second and a
/// summary. Answers 0 only if nothing failed, was stale, broke or changed.
int run(const RunOptions& options);

}  // namespace livetls::demo
