// In place of libFuzzer: runs a fuzz target on the files of the folders, or the files, that are
// named. A finding ends the process; the last file that was named is it.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

/// The file itself, or the files in a folder.
std::vector<fs::path> files_at(const fs::path& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> files(fs::directory_iterator(path), {});
  if (files.empty()) throw std::runtime_error(path.string() + " is empty");
  return files;
}

void run(const fs::path& file) {
  std::cout << file.string() << std::endl;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw std::runtime_error(file.string() + " cannot be read");
  // Of its own size, so that a sanitizer sees every access beyond it.
  const std::vector<char> bytes(std::istreambuf_iterator<char>(stream), {});
  const std::vector<std::uint8_t> input(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(input.data(), input.size());
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 2) throw std::invalid_argument("usage: " + std::string(argv[0]) + " FILE|FOLDER...");
  for (const char* path : std::span(argv + 1, argv + argc)) {
    for (const fs::path& file : files_at(path)) run(file);
  }
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
