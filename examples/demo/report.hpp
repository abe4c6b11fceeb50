#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>

#include "control.hpp"
#include "run.hpp"
#include "servers.hpp"

namespace livetls::demo {

/// What happened between two lines of the load; `before` is null at the first.
Slice slice_between(const boost::json::value& before, const boost::json::value& now,
                    std::uint64_t rotations);

void print_beginning(const RunOptions& options, const Servers& servers);
void print_second(int second, const Slice& slice, const boost::json::value& now,
                  std::uint64_t generation);
void print_round(std::size_t number, const Control::Round& round);

/// The last line of the load, with what only the servers know.
boost::json::object summary(const boost::json::value& counted, const Servers& servers,
                            double seconds);

/// Nothing failed, was stale, broke or changed, and there was something that could have.
bool flawless(const boost::json::value& summary);

void print_summary(const boost::json::value& summary, bool good);
void write_json(const std::string& file, const boost::json::object& summary);

}  // namespace livetls::demo
