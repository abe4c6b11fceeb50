#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "load/load.hpp"
#include "report.hpp"
#include "server_process.hpp"

namespace livetls::bench {

struct Contestant {
  std::string name;
  const ServerProcess* server;
};

/// What the rounds of one contestant came to.
struct Standing {
  std::string name;
  std::vector<double> cpu_us = {};      ///< of the server, per operation, by round
  std::vector<double> per_second = {};  ///< operations, by round
  std::vector<double> busy = {};        ///< how much of a processor the load took, by round
  Histogram latency = {};
};

/// Lets the contestants take turns: A B C A B C … The load is the same for all but for its target.
/// Throws where an operation fails.
std::vector<Standing> contest(const std::vector<Contestant>& contestants, LoadOptions load,
                              std::size_t rounds);

/// The operations of one load on one server: processor time of the server for each.
double cpu_us_per_operation(const ServerProcess& server, LoadOptions load, LoadResult& result);

/// The first standing's processor time against that of the best of the others.
Row compare_cpu(std::string measure, const std::vector<Standing>& standings, double must,
                double aim);

/// Operations that a second of the server's processor time is enough for, compared in the same way.
Row compare_per_cpu_second(std::string measure, std::string unit,
                           const std::vector<Standing>& standings, double scale, double must,
                           double aim);

boost::json::object cpu_bars(const std::string& title, const std::vector<Standing>& standings);
boost::json::object latency_lines(const std::string& title, const std::vector<Standing>& standings);

/// Throughput and p99 of one load over its time, with the seconds at which the server rotated.
boost::json::object over_time(const std::string& title, const LoadResult& result,
                              const boost::json::array& rotations);

}  // namespace livetls::bench
