#include "machine.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string>

namespace livetls::bench {
namespace {

std::string processor() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

}  // namespace

boost::json::object describe_machine() {
  utsname system{};
  uname(&system);
  double load = 0;
  getloadavg(&load, 1);
  return {{"processor", processor()},
          {"processors", sysconf(_SC_NPROCESSORS_ONLN)},
          {"kernel", std::string(system.sysname) + " " + system.release},
          {"compiler", "g++ " __VERSION__},
          {"wolfssl", LIVETLS_WOLFSSL_VERSION},
          {"load_average", std::round(100 * load) / 100}};
}

}  // namespace livetls::bench
