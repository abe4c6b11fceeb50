// With libFuzzer, which has the `main`: gives its inputs to the target that the environment names.

#include <cstdio>
#include <cstdlib>

#include "fuzz/target.hpp"

namespace livetls::fuzz {
namespace {

Target::Check chosen() {
  const char* name = std::getenv("LIVETLS_FUZZ_TARGET");
  const auto found = Target::all().find(name ? name : "");
  if (found != Target::all().end()) return found->second;
  std::fputs("LIVETLS_FUZZ_TARGET must be one of:", stderr);
  for (const auto& [known, check] : Target::all()) std::fprintf(stderr, " %s", known.c_str());
  std::fputs("\n", stderr);
  std::exit(2);
}

}  // namespace
}  // namespace livetls::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const livetls::fuzz::Target::Check kCheck = livetls::fuzz::chosen();
  kCheck({data, size});
  return 0;
}
