#pragma once

#include <sys/types.h>

#include <boost/json/value.hpp>
#include <cstdio>
#include <string>

#include "load.hpp"

namespace livetls::demo {

/// The load, as a child process whose standard output is read here.
class LoadProcess {
 public:
  /// Of `options`, the ports and the file of the root are to be set, too.
  explicit LoadProcess(const LoadOptions& options);
  LoadProcess(const LoadProcess&) = delete;
  LoadProcess& operator=(const LoadProcess&) = delete;
  ~LoadProcess();

  /// The next line it prints; null at its end.
  boost::json::value next();

  /// Waits for its end.
  bool succeeded();

 private:
  pid_t pid_ = -1;
  FILE* output_ = nullptr;
};

}  // namespace livetls::demo
