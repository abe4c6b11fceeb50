#include "secrets/memory_search.hpp"

#include <execinfo.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <new>
#include <sstream>
#include <stdexcept>

namespace livetls::test {
namespace {

struct Finding {
  const char* name;
  std::size_t block_bytes;
  std::array<void*, 24> callers;
  int depth;
};

std::atomic<const Needles*> watched{nullptr};
std::atomic<std::size_t> block_count{0};
std::atomic<std::size_t> finding_count{0};
std::array<Finding, 64> first_findings;
thread_local bool is_examining = false;

void examine(const void* block, std::size_t bytes, const Needles& needles) {
  const char* const name = needles.in({static_cast<const std::uint8_t*>(block), bytes});
  ++block_count;
  if (name == nullptr) return;
  const std::size_t index = finding_count++;
  if (index >= first_findings.size()) return;
  Finding& finding = first_findings[index];
  finding.name = name;
  finding.block_bytes = bytes;
  finding.depth = ::backtrace(finding.callers.data(), static_cast<int>(finding.callers.size()));
}

/// Whether the block stays because memory is watched.
[[maybe_unused]] bool kept(void* block) {
  const Needles* const needles = watched.load(std::memory_order_acquire);
  if (needles == nullptr || block == nullptr || is_examining) return false;
  is_examining = true;
  examine(block, ::malloc_usable_size(block), *needles);
  is_examining = false;
  return true;
}

}  // namespace
}  // namespace livetls::test

#ifndef LIVETLS_SANITIZED

// The process's free and realloc, also those of libraries and of operator delete.

extern "C" {

void __libc_free(void* block);                         // NOLINT(readability-identifier-naming)
void* __libc_realloc(void* block, std::size_t bytes);  // NOLINT(readability-identifier-naming)

void free(void* block) {
  if (!livetls::test::kept(block)) __libc_free(block);
}

void* realloc(void* block, std::size_t bytes) {
  if (block == nullptr || livetls::test::watched.load() == nullptr) {
    return __libc_realloc(block, bytes);
  }
  void* const moved = std::malloc(bytes);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, block, std::min(bytes, ::malloc_usable_size(block)));
  free(block);
  return moved;
}

}  // extern "C"

#endif

namespace livetls::test {

bool FreedMemory::can_be_watched() noexcept {
#ifdef LIVETLS_SANITIZED
  return false;
#else
  return true;
#endif
}

FreedMemory::FreedMemory(const Needles& needles) {
  std::array<void*, 1> caller;
  ::backtrace(caller.data(), 1);  // the first time, it loads a library
  block_count = 0;
  finding_count = 0;
  watched.store(&needles, std::memory_order_release);
}

FreedMemory::~FreedMemory() { watched.store(nullptr); }

std::size_t FreedMemory::blocks() const noexcept { return block_count; }

std::string FreedMemory::findings() const {
  std::ostringstream text;
  const std::size_t count = finding_count;
  for (std::size_t index = 0; index < std::min(count, first_findings.size()); ++index) {
    const Finding& finding = first_findings[index];
    text << finding.name << " in a freed block of " << finding.block_bytes << " bytes\n";
    char** const symbols = ::backtrace_symbols(finding.callers.data(), finding.depth);
    for (int frame = 2; frame < finding.depth; ++frame) text << "    " << symbols[frame] << '\n';
    std::free(symbols);
  }
  if (count > 0) text << count << " blocks\n";
  return text.str();
}

namespace {

struct Mapping {
  const std::uint8_t* begin;
  std::size_t bytes;
  std::string line;
};

std::vector<Mapping> writable_mappings() {
  std::vector<Mapping> mappings;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0;
    unsigned long end = 0;
    char permissions[5] = {};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, permissions) != 3) continue;
    if (std::string_view(permissions).substr(0, 2) != "rw") continue;
    mappings.push_back({reinterpret_cast<const std::uint8_t*>(begin), end - begin, line});
  }
  if (mappings.empty()) throw std::runtime_error("/proc/self/maps cannot be read");
  return mappings;
}

/// At most a few for each mapping.
void search(const std::uint8_t* begin, std::size_t bytes, const Needles& needles,
            const std::string& where, std::ostream& findings) {
  int found = 0;
  for (std::size_t at = 0; at + Needles::kPieceBytes <= bytes && found < 10; ++at) {
    const char* const name = needles.at(begin + at);
    if (name == nullptr) continue;
    findings << name << " at " << static_cast<const void*>(begin + at) << " in " << where << '\n';
    at += Needles::kPieceBytes - 1;
    ++found;
  }
}

}  // namespace

std::string search_own_memory(const Needles& needles) {
  std::ostringstream findings;
  for (const Mapping& mapping : writable_mappings()) {
    search(mapping.begin, mapping.bytes, needles, mapping.line, findings);
  }
  return findings.str();
}

std::string search_file(const std::string& file, const Needles& needles) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (descriptor < 0 || ::fstat(descriptor, &status) != 0 || status.st_size == 0) {
    throw std::runtime_error(file + " cannot be read");
  }
  const auto bytes = static_cast<std::size_t>(status.st_size);
  void* const content = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, descriptor, 0);
  ::close(descriptor);
  if (content == MAP_FAILED) throw std::bad_alloc();
  std::ostringstream findings;
  search(static_cast<const std::uint8_t*>(content), bytes, needles, file, findings);
  ::munmap(content, bytes);
  return findings.str();
}

}  // namespace livetls::test
