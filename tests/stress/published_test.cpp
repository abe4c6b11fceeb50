#include "livetls/base/published.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <latch>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace livetls {
namespace {

/// Says whether it is alive, also to those who should not ask any more: its destructor poisons it.
class Probe {
 public:
  explicit Probe(std::uint64_t generation) : generation_(generation), copy_(generation) {
    ++alive_;
  }
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  ~Probe() {
    state_.store(kPoison, std::memory_order_relaxed);
    copy_.store(kPoison, std::memory_order_relaxed);
    --alive_;
  }

  std::uint64_t generation() const { return generation_; }
  bool is_whole() const {
    return state_.load(std::memory_order_relaxed) == kAlive &&
           copy_.load(std::memory_order_relaxed) == generation_;
  }

  static int alive() { return alive_.load(); }

 private:
  static constexpr std::uint64_t kAlive = 0xA11CE0000A11CE00;
  static constexpr std::uint64_t kPoison = 0xDEADDEADDEADDEAD;
  static inline std::atomic<int> alive_ = 0;

  // Atomic, so that the compiler keeps the destructor's stores.
  std::atomic<std::uint64_t> state_ = kAlive;
  std::uint64_t generation_;
  std::atomic<std::uint64_t> copy_;
};

std::shared_ptr<const Probe> probe(std::uint64_t generation) {
  return std::make_shared<const Probe>(generation);
}

TEST(PublishedTest, AValueThatNobodyReadsIsGoneWithItsReplacement) {
  Published<Probe> published(probe(1));
  EXPECT_EQ(Probe::alive(), 1);
  published.store(probe(2));
  EXPECT_EQ(Probe::alive(), 1);
  EXPECT_EQ(published.load()->generation(), 2U);
}

TEST(PublishedTest, AnOldValueGoesWhenItsLastReaderLetsGoAndNotLater) {
  Published<Probe> published(probe(1));
  auto first = published.load();
  auto second = published.load();
  published.store(probe(2));
  const std::weak_ptr<const Probe> old = first;
  first.reset();
  ASSERT_FALSE(old.expired());
  EXPECT_TRUE(second->is_whole());
  second.reset();
  EXPECT_TRUE(old.expired());
  EXPECT_EQ(Probe::alive(), 1);
}

TEST(PublishedTest, AValueThatIsStillReadOutlivesThePublication) {
  std::shared_ptr<const Probe> kept;
  {
    Published<Probe> published(probe(1));
    kept = published.load();
  }
  EXPECT_TRUE(kept->is_whole());
  EXPECT_EQ(Probe::alive(), 1);
  kept.reset();
  EXPECT_EQ(Probe::alive(), 0);
}

struct Observed {
  std::uint64_t reads = 0;
  std::uint64_t broken = 0;
  std::uint64_t backwards = 0;
  std::uint64_t last = 0;
};

/// Readers on `reader_count` threads while this one publishes `update_count` values.
void torture(std::size_t reader_count, std::uint64_t update_count) {
  ASSERT_EQ(Probe::alive(), 0);
  {
    Published<Probe> published(probe(0));
    std::atomic<std::uint64_t> stored = 0;  // returned from store
    std::atomic<bool> done = false;
    std::atomic<std::uint64_t> reads = 0;
    std::atomic<std::uint64_t> stale = 0;
    std::vector<Observed> observed(reader_count);
    std::latch started(static_cast<std::ptrdiff_t>(reader_count) + 1);
    std::vector<std::thread> readers;
    for (Observed& mine : observed) {
      readers.emplace_back([&] {
        started.arrive_and_wait();
        std::shared_ptr<const Probe> held;  // every third one is held until the next
        while (!done.load(std::memory_order_relaxed)) {
          const std::uint64_t at_least = stored.load(std::memory_order_acquire);
          std::shared_ptr<const Probe> seen = published.load();
          ++mine.reads;
          reads.fetch_add(1, std::memory_order_relaxed);
          mine.broken += !seen->is_whole();
          mine.backwards += seen->generation() < mine.last;
          stale += seen->generation() < at_least;
          mine.last = seen->generation();
          if (mine.reads % 3 == 0) held = std::move(seen);
          if (held) mine.broken += !held->is_whole();
          // More threads than processors: better they give way here than in the middle of a load,
          // for whose end the writer waits.
          if (mine.reads % 8 == 0) std::this_thread::yield();
        }
      });
    }
    started.arrive_and_wait();
    for (std::uint64_t generation = 1; generation <= update_count; ++generation) {
      published.store(probe(generation));
      stored.store(generation, std::memory_order_release);
      if (generation % 8 != 0) continue;  // now and then, so that both really mingle
      const std::uint64_t before = reads.load(std::memory_order_relaxed);
      while (reads.load(std::memory_order_relaxed) == before) std::this_thread::yield();
    }
    done = true;
    for (std::thread& reader : readers) reader.join();

    for (const Observed& each : observed) {
      EXPECT_EQ(each.broken, 0U);
      EXPECT_EQ(each.backwards, 0U);
    }
    EXPECT_EQ(stale, 0U) << "a read that begins after a store has returned sees it";
    EXPECT_GE(reads, update_count / 8);
    EXPECT_EQ(published.load()->generation(), update_count);
    EXPECT_EQ(Probe::alive(), 1);
  }
  EXPECT_EQ(Probe::alive(), 0);
}

TEST(PublishedTest, AReaderNeverSeesAnOldOrADeadValueWhileAWriterPublishes) { torture(1, 400'000); }

TEST(PublishedTest, SeveralReadersNeverSeeAnOldOrADeadValue) { torture(3, 200'000); }

TEST(PublishedTest, MoreReadersThanSlotsTakeTurns) { torture(80, 400); }

TEST(PublishedTest, WritersThatTakeTurnsLeaveOneValue) {
  {
    Published<Probe> published(probe(0));
    std::mutex turns;
    std::uint64_t generation = 0;
    std::vector<std::thread> threads;
    std::latch started(6);
    std::atomic<std::uint64_t> broken = 0;
    for (int writer = 0; writer < 3; ++writer) {
      threads.emplace_back([&] {
        started.arrive_and_wait();
        for (int i = 0; i < 2'000; ++i) {
          const std::scoped_lock turn(turns);
          published.store(probe(++generation));
        }
      });
      threads.emplace_back([&] {
        started.arrive_and_wait();
        for (int i = 0; i < 2'000; ++i) broken += !published.load()->is_whole();
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(broken, 0U);
    EXPECT_EQ(published.load()->generation(), 6'000U);
    EXPECT_EQ(Probe::alive(), 1);
  }
  EXPECT_EQ(Probe::alive(), 0);
}

}  // namespace
}  // namespace livetls
