#include "livetls/base/secret_bytes.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include "base/secret_memory.hpp"

namespace livetls {
namespace {

constexpr std::uint8_t kSecret = 0xaa;

TEST(SecretBytes, WipeOverwritesEveryByte) {
  std::uint8_t bytes[] = {1, 2, 3, 4};
  wipe(bytes + 1, 2);
  EXPECT_EQ(bytes[0], 1);
  EXPECT_EQ(bytes[1], 0);
  EXPECT_EQ(bytes[2], 0);
  EXPECT_EQ(bytes[3], 4);
  wipe(nullptr, 0);
}

/// Reads memory that was given back. The secret heap keeps its books in it, of a few bytes each.
bool holds_secret(const std::uint8_t* begin, std::size_t size) {
  return std::search_n(begin, begin + size, 16, kSecret) != begin + size;
}

TEST(SecretBytes, MemoryIsWipedBeforeItIsGivenBack) {
  constexpr std::size_t kBytes = 10'000;
  SecretBytes secret(kBytes, kSecret);
  const std::uint8_t* const memory = secret.data();
  ASSERT_TRUE(holds_secret(memory, kBytes));
  secret.resize(10);  // what is cut off still lies in the memory
  secret.shrink_to_fit();
  EXPECT_FALSE(holds_secret(memory, kBytes));
}

TEST(SecretBytes, MemoryIsWipedWhereAVectorGrowsOutOfIt) {
  SecretBytes secret(1000, kSecret);
  const std::uint8_t* const memory = secret.data();
  secret.reserve(100'000);
  ASSERT_NE(secret.data(), memory);
  EXPECT_FALSE(holds_secret(memory, 1000));
  EXPECT_EQ(std::ranges::count(secret, kSecret), 1000);
}

TEST(SecretMemory, IsToldFromOtherMemory) {
  const SecretBytes secret(1);
  const std::vector<std::uint8_t> ordinary(1);
  const int on_the_stack = 0;
  EXPECT_TRUE(is_secret(secret.data()));
  EXPECT_FALSE(is_secret(ordinary.data()));
  EXPECT_FALSE(is_secret(&on_the_stack));
  EXPECT_FALSE(is_secret(nullptr));
  EXPECT_GE(secret_size(secret.data()), 1u);
}

TEST(SecretMemory, GrowsAsNeeded) {
  std::vector<SecretBytes> secrets;
  for (std::size_t size = 1; size < 8 << 20; size = size * 2 + 1) {
    secrets.emplace_back(size, std::uint8_t{0xaa});
  }
  for (const SecretBytes& secret : secrets) {
    EXPECT_TRUE(is_secret(secret.data()));
    EXPECT_TRUE(std::ranges::all_of(secret, [](std::uint8_t byte) { return byte == 0xaa; }));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(secret.data()) % alignof(std::max_align_t), 0u);
  }
}

TEST(SecretMemory, WhatCannotBeHadIsAnException) {
  EXPECT_THROW(allocate_secret(std::size_t{1} << 40), std::bad_alloc);
  EXPECT_NO_THROW(free_secret(allocate_secret(1)));
}

TEST(SecretMemory, IsReused) {
  const SecretBytes first(1000);
  for (int round = 0; round < 10'000; ++round) {
    const SecretBytes secret(1000);
    ASSERT_LT(std::abs(secret.data() - first.data()), 1 << 20);
  }
}

/// What the kernel says of the mapping that an address is in.
std::string flags_of_mapping(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0;
    unsigned long end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) {
      const auto number = reinterpret_cast<std::uintptr_t>(address);
      inside = begin <= number && number < end;
    }
    if (inside && line.starts_with("VmFlags:")) return line + ' ';
  }
  return {};
}

TEST(SecretMemory, IsLeftOutOfCoreFiles) {
  const SecretBytes secret(1 << 20);
  const std::vector<std::uint8_t> ordinary(1 << 20);
  const std::string flags = flags_of_mapping(secret.data());
  if (flags.empty()) GTEST_SKIP() << "this kernel does not say";
  EXPECT_NE(flags.find(" dd "), std::string::npos) << flags;
  EXPECT_EQ(flags_of_mapping(ordinary.data()).find(" dd "), std::string::npos);
}

TEST(SecretMemory, IsSharedByThreads) {
  std::vector<std::jthread> threads;
  for (int number = 1; number <= 4; ++number) {
    threads.emplace_back([number] {
      std::vector<SecretBytes> kept(16);
      for (std::size_t round = 0; round < 2'000; ++round) {
        SecretBytes& secret = kept[round % kept.size()];
        EXPECT_TRUE(std::ranges::all_of(secret, [&](int byte) { return byte == number; }));
        secret = SecretBytes(round % 700, static_cast<std::uint8_t>(number));
      }
    });
  }
}

TEST(SecretMemory, WorksInAForkedProcessAlsoWhereAnotherThreadWasInIt) {
  std::jthread busy([](const std::stop_token& stop) {
    while (!stop.stop_requested()) const SecretBytes secret(100);
  });
  const SecretBytes secret(100, 0xaa);
  for (int round = 0; round < 20; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(10);
      const SecretBytes own(100, 0xbb);
      ::_exit(secret.at(99) == 0xaa && own.at(99) == 0xbb ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_EQ(status, 0);
  }
}

[[gnu::noinline]] void leave_something_on_the_stack() {
  volatile std::uint8_t bytes[256];
  for (auto& byte : bytes) byte = 0xaa;
}

/// Reads what is left of the calls before it, and nothing of its own.
[[gnu::noinline]] int left_on_the_stack() {
  volatile std::uint8_t bytes[2048];
  asm volatile("" : : "r"(bytes) : "memory");
  int count = 0;
  for (const auto& byte : bytes) count += byte == 0xaa ? 1 : 0;
  return count;
}

TEST(SecretMemory, TheStackIsWipedBelowTheCaller) {
#ifdef LIVETLS_SANITIZES_ADDRESSES
  GTEST_SKIP() << "AddressSanitizer has stacks of its own";
#endif
  leave_something_on_the_stack();
  ASSERT_GT(left_on_the_stack(), 200);
  leave_something_on_the_stack();
  wipe_stack();
  EXPECT_LT(left_on_the_stack(), 20);  // addresses may have such a byte
}

}  // namespace
}  // namespace livetls
