// Nodes of a cluster are killed, one a second, and come again; the others keep what they have.
// LIVETLS_STRESS_SECONDS says for how long.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <random>
#include <thread>

#include "support/cluster.hpp"
#include "support/eventually.hpp"

namespace livetls {
namespace {

using namespace std::chrono_literals;
using boost::json::object;

std::chrono::seconds duration() {
  const char* seconds = std::getenv("LIVETLS_STRESS_SECONDS");
  return std::chrono::seconds(seconds != nullptr ? std::stoi(seconds) : 3);
}

std::uint64_t number(const object& report, const char* what) {
  return report.at(what).to_number<std::uint64_t>();
}

TEST(NodeKillStress, SurvivorsLeakNothing) {
  test::Cluster cluster({"n1", "n2", "n3", "n4"});
  const auto all_linked = [&](const std::string& name) {
    return number(cluster.report(name), "links") == 3;
  };
  const auto settle = [&] {
    for (const std::string& name : cluster.names()) {
      ASSERT_TRUE(test::eventually([&] { return all_linked(name); })) << name;
    }
  };
  settle();
  std::minstd_rand random(42);
  const auto kill_one = [&] {
    const std::string& victim = cluster.names()[1 + random() % 3];
    cluster.kill(victim);
    cluster.renew(victim);
    cluster.start(victim);
  };
  kill_one();
  settle();
  const object before = cluster.report("n1");
  std::size_t kills = 0;
  const auto end = std::chrono::steady_clock::now() + duration();
  for (auto next = std::chrono::steady_clock::now(); next < end; next += 1s) {
    std::this_thread::sleep_until(next);
    kill_one();
    ++kills;
  }
  settle();
  const object after = cluster.report("n1");
  std::cout << kills << " kills; before " << before.at("descriptors") << " descriptors, "
            << before.at("resident_kib") << " KiB; after " << after.at("descriptors") << ", "
            << after.at("resident_kib") << " KiB\n";
  EXPECT_GE(number(after, "links_lost"), kills);
  EXPECT_TRUE(test::eventually([&] {
    return number(cluster.report("n1"), "descriptors") <= number(before, "descriptors") + 2;
  })) << boost::json::value(cluster.report("n1"));
  EXPECT_LE(number(after, "resident_kib"), number(before, "resident_kib") * 3 / 2 + 20 * 1024);
  for (const auto& [from, counts] : after.at("received").as_object()) {
    EXPECT_EQ(number(counts.as_object(), "repeated"), 0U) << from;
  }
  EXPECT_EQ(number(after, "unverified"), 0U);
}

}  // namespace
}  // namespace livetls
