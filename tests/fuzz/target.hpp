#pragma once

#include <map>
#include <string>

#include "fuzz/fuzz_input.hpp"

namespace livetls::fuzz {

/// What is called with arbitrary bytes, under the name of its file and its corpus. One object of
/// it a file, in its anonymous namespace.
class Target {
 public:
  using Check = void (*)(Bytes input);

  Target(std::string name, Check check) { all().emplace(std::move(name), check); }

  /// Those of the program.
  static std::map<std::string, Check>& all() {
    static std::map<std::string, Check> targets;
    return targets;
  }
};

}  // namespace livetls::fuzz
