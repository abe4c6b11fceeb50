#include "livetls/base/secret_bytes.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace {

/// Its allocator, below, looks at memory in the moment it is given back.
struct Watched {
  std::uint8_t value;
};

struct Released {
  int blocks = 0;
  int dirty_bytes = 0;
};

Released released;

}  // namespace

template <>
struct std::allocator<Watched> {
  using value_type = Watched;

  Watched* allocate(std::size_t count) {
    return static_cast<Watched*>(::operator new(count * sizeof(Watched)));
  }
  void deallocate(Watched* data, std::size_t count) {
    ++released.blocks;
    released.dirty_bytes += static_cast<int>(
        std::count_if(data, data + count, [](Watched byte) { return byte.value != 0; }));
    ::operator delete(data);
  }
};

namespace livetls {
namespace {

TEST(SecretBytes, WipeOverwritesEveryByte) {
  std::uint8_t bytes[] = {1, 2, 3, 4};
  wipe(bytes + 1, 2);
  EXPECT_EQ(bytes[0], 1);
  EXPECT_EQ(bytes[1], 0);
  EXPECT_EQ(bytes[2], 0);
  EXPECT_EQ(bytes[3], 4);
  wipe(nullptr, 0);
}

TEST(SecretBytes, MemoryIsWipedBeforeItIsGivenBack) {
  released = {};
  { std::vector<Watched, std::allocator<Watched>> ordinary(16, Watched{0xaa}); }
  ASSERT_EQ(released.dirty_bytes, 16) << "the watching allocator does not see what is released";

  released = {};
  {
    std::vector<Watched, WipingAllocator<Watched>> secret;
    for (int count = 0; count < 100; ++count) secret.insert(secret.end(), Watched{0xaa});
    secret.resize(10);  // what is cut off still lies in the memory
  }
  EXPECT_GT(released.blocks, 3) << "the vector was meant to grow on the way";
  EXPECT_EQ(released.dirty_bytes, 0);
}

}  // namespace
}  // namespace livetls
