// Five nodes in processes of their own, whose certificates rotate while all send to all.

#include <gtest/gtest.h>

#include "support/cluster.hpp"
#include "support/eventually.hpp"

namespace livetls {
namespace {

using boost::json::object;
using boost::json::value;

class NodeCluster : public testing::Test {
 protected:
  std::uint64_t number(const object& report, const char* what) {
    return report.at(what).to_number<std::uint64_t>();
  }

  /// Until each has received more of each.
  void let_pass(std::uint64_t messages) {
    for (const std::string& to : cluster_.names()) {
      const object before = cluster_.report(to);
      for (const std::string& from : cluster_.names()) {
        if (from == to) continue;
        const std::uint64_t wanted = count_from(before, from) + messages;
        ASSERT_TRUE(test::eventually([&] {
          return count_from(cluster_.report(to), from) >= wanted;
        })) << from
            << " to " << to;
      }
    }
  }

  void rotate(int signal, const std::string& answer) {
    for (const std::string& name : cluster_.names()) cluster_.renew(name);
    cluster_.signal_all(signal, answer);
  }

  /// All that each has sent, when nothing is sent any more.
  void expect_all_arrived() {
    for (const std::string& name : cluster_.names()) cluster_.report(name, "be quiet");
    for (const std::string& to : cluster_.names()) {
      for (const std::string& from : cluster_.names()) {
        if (from == to) continue;
        EXPECT_TRUE(test::eventually([&] {
          const std::uint64_t wanted =
              cluster_.report(from).at("sent").as_object().at(to).to_number<std::uint64_t>();
          return count_from(cluster_.report(to), from) == wanted;
        })) << from
            << " to " << to;
      }
    }
  }

  std::uint64_t count_from(const object& report, const std::string& from) {
    std::uint64_t sum = 0;
    for (const auto& [sender, counts] : report.at("received").as_object()) {
      if (sender.starts_with(from + " ")) sum += number(counts.as_object(), "count");
    }
    return sum;
  }

  void expect_none_missing() {
    for (const std::string& name : cluster_.names()) {
      const object report = cluster_.report(name);
      EXPECT_EQ(number(report, "unverified"), 0U);
      EXPECT_EQ(number(report, "links_lost"), 0U) << name;
      const object& received = report.at("received").as_object();
      EXPECT_EQ(received.size(), cluster_.names().size() - 1) << name;
      for (const auto& [from, counts] : received) {
        EXPECT_EQ(number(counts.as_object(), "missing"), 0U) << from << " to " << name;
        EXPECT_EQ(number(counts.as_object(), "repeated"), 0U) << from << " to " << name;
      }
    }
  }

  test::Cluster cluster_{{"n1", "n2", "n3", "n4", "n5"}};
};

TEST_F(NodeCluster, LosesAndRepeatsNothingWhileAllCertificatesRotate) {
  cluster_.start_stranger("stranger");
  let_pass(20);
  for (int i = 0; i < 4; ++i) {
    rotate(SIGHUP, "updated");
    let_pass(20);
  }
  for (int i = 0; i < 4; ++i) {
    rotate(SIGUSR1, "revoked");
    let_pass(20);
  }
  expect_all_arrived();
  expect_none_missing();
  std::uint64_t dialled = 0;
  for (const std::string& name : cluster_.names()) {
    dialled += number(cluster_.report(name), "dialled");
  }
  constexpr std::uint64_t kAtFirst = 10 * 2;  // links, of two connections each
  EXPECT_GT(dialled, kAtFirst) << "the revocations made new ones";
  EXPECT_TRUE(cluster_.report("stranger").at("sent").as_object().empty());
  for (const std::string& name : cluster_.names()) EXPECT_EQ(cluster_.stop(name), 0);
}

}  // namespace
}  // namespace livetls
