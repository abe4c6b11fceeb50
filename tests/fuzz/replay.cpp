// In place of libFuzzer: runs the targets on the inputs that are checked in, a test each, or one on
// the files that are named. A finding ends the process; the last file that was named is it.
//
//     livetls_fuzz_tests [TARGET FILE...]

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "fuzz/target.hpp"

namespace livetls::fuzz {
namespace {

namespace fs = std::filesystem;

void run(Target::Check check, const fs::path& file) {
  std::cout << file.string() << std::endl;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw std::runtime_error(file.string() + " cannot be read");
  // Of its own size, so that a sanitizer sees every access beyond it.
  const std::vector<char> bytes(std::istreambuf_iterator<char>(stream), {});
  const std::vector<std::uint8_t> input(bytes.begin(), bytes.end());
  check(input);
}

class Corpus : public testing::Test {
 public:
  Corpus(fs::path folder, Target::Check check) : folder_(std::move(folder)), check_(check) {}

  void TestBody() override {
    std::size_t files = 0;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      run(check_, entry.path());
      ++files;
    }
    EXPECT_GT(files, 0U) << folder_ << " is empty";
  }

 private:
  const fs::path folder_;
  const Target::Check check_;
};

int run_tests() {
  for (const auto& [name, check] : Target::all()) {
    testing::RegisterTest("Fuzz", name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [folder = fs::path(LIVETLS_CORPUS) / name,
                           run = check]() -> testing::Test* { return new Corpus(folder, run); });
  }
  return RUN_ALL_TESTS();
}

}  // namespace
}  // namespace livetls::fuzz

int main(int argc, char** argv) try {
  using namespace livetls::fuzz;
  testing::InitGoogleTest(&argc, argv);
  if (argc < 2) return run_tests();
  const auto target = Target::all().find(argv[1]);
  if (target == Target::all().end()) throw std::invalid_argument("there is no such target");
  for (const char* file : std::span(argv + 2, argv + argc)) run(target->second, file);
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
